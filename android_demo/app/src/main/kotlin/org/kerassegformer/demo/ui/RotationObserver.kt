package org.kerassegformer.demo.ui

import android.app.Activity
import android.hardware.display.DisplayManager
import android.os.Handler
import android.os.Looper
import android.view.Surface

/**
 * Observes the rotation of the display of an activity. Turning the device by 180 degrees neither changes the
 * configuration nor recreates the activity. Main thread only.
 *
 * @param onRotation receives the degrees of [Displays.degreesOf], at the start and whenever they may have changed
 */
internal class RotationObserver(private val activity: Activity, private val onRotation: (Int) -> Unit) {
    private val displays: DisplayManager? by lazy { activity.getSystemService(DisplayManager::class.java) }
    private val listener = object : DisplayManager.DisplayListener {
        override fun onDisplayChanged(displayId: Int) = report()

        override fun onDisplayAdded(displayId: Int) = Unit

        override fun onDisplayRemoved(displayId: Int) = Unit
    }

    fun start() {
        displays?.registerDisplayListener(listener, Handler(Looper.getMainLooper()))
        report()
    }

    fun stop() {
        displays?.unregisterDisplayListener(listener)
    }

    private fun report() = onRotation(Displays.degreesOf(activity))
}

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
