package org.kerassegformer.demo.ui

import android.os.Build

/** Whether the system reports how hot the device is. */
internal object Thermals {
    fun areReported(): Boolean = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q
}
