package org.kerassegformer.demo.pictures

import org.kerassegformer.core.Orientation

/**
 * A still image of the camera at the size of the sensor.
 *
 * @property jpeg the file
 * @property orientation what makes it upright, and mirrors it as on the screen
 */
internal class CapturedStill(val jpeg: ByteArray, val orientation: Orientation)
