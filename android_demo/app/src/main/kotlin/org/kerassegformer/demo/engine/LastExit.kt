package org.kerassegformer.demo.engine

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build

/**
 * Whether the app's last process was ended by the user or by the system for its own ends, and not by a driver. False
 * where the system does not say: before Android 11, and where its record is gone.
 */
internal fun lastExitWasInnocent(context: Context): Boolean {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return false
    val manager = context.getSystemService(ActivityManager::class.java) ?: return false
    val last = manager.getHistoricalProcessExitReasons(context.packageName, 0, 1).firstOrNull() ?: return false
    return when (last.reason) {
        ApplicationExitInfo.REASON_USER_REQUESTED,
        ApplicationExitInfo.REASON_USER_STOPPED,
        ApplicationExitInfo.REASON_PERMISSION_CHANGE,
        ApplicationExitInfo.REASON_DEPENDENCY_DIED,
        -> true
        else -> false
    }
}
