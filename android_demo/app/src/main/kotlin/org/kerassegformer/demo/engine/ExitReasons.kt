package org.kerassegformer.demo.engine

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.Context
import android.os.Build
import android.system.OsConstants
import org.kerassegformer.core.ExitCause

/** Returns why a process of the app ended; unknown before Android 11, and without a record of it. */
internal fun exitCauseOf(context: Context, process: Int): ExitCause {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return ExitCause.UNKNOWN
    val manager = context.getSystemService(ActivityManager::class.java) ?: return ExitCause.UNKNOWN
    val records = manager.getHistoricalProcessExitReasons(context.packageName, process, 0)
    // The newest one: IDs of processes are reused.
    val last = records.filter { it.pid == process }.maxByOrNull { it.timestamp } ?: return ExitCause.UNKNOWN
    return when (last.reason) {
        ApplicationExitInfo.REASON_CRASH_NATIVE -> ExitCause.CRASH
        ApplicationExitInfo.REASON_SIGNALED if last.status in CRASH_SIGNALS -> ExitCause.CRASH
        in BENIGN -> ExitCause.BENIGN
        else -> ExitCause.UNKNOWN
    }
}

private val CRASH_SIGNALS = setOf(
    OsConstants.SIGSEGV, OsConstants.SIGABRT, OsConstants.SIGBUS, OsConstants.SIGILL, OsConstants.SIGFPE,
    OsConstants.SIGSYS,
)

/** A swipe from the recent apps is REASON_USER_REQUESTED; the last two are known since Android 14. */
private val BENIGN = setOf(
    ApplicationExitInfo.REASON_USER_REQUESTED,
    ApplicationExitInfo.REASON_USER_STOPPED,
    ApplicationExitInfo.REASON_PERMISSION_CHANGE,
    ApplicationExitInfo.REASON_DEPENDENCY_DIED,
    ApplicationExitInfo.REASON_PACKAGE_STATE_CHANGE,
    ApplicationExitInfo.REASON_PACKAGE_UPDATED,
)
