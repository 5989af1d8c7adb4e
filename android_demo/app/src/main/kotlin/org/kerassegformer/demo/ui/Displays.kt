package org.kerassegformer.demo.ui

import android.app.Activity
import android.view.Surface

/** Rotation of the display. */
internal object Displays {
    /** Returns the rotation from the natural orientation of the device: 0, 90, 180 or 270 degrees. */
    fun degreesOf(activity: Activity): Int {
        // Equivalent to Activity.getDisplay, which requires Android 11.
        @Suppress("DEPRECATION")
        val display = activity.windowManager.defaultDisplay
        return when (display.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }
    }
}
