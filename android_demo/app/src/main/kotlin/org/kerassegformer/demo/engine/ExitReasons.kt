package org.kerassegformer.demo.engine

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build

/**
 * Returns true if the user or the system ended the app's last process, and not a crash. False if the system does not
 * tell: before Android 11, or without a record.
 */
internal fun wasLastExitBenign(context: Context): Boolean {
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
