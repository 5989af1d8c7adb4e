package org.kerassegformer.demo.ui

import android.app.Activity
import android.view.Surface

/** How the display of a screen is turned. */
internal object Displays {
    /** Turn from the natural orientation of the device: 0, 90, 180 or 270 degrees. */
    fun degreesOf(activity: Activity): Int {
        // Its successor of Android 11 says the same of an activity.
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
