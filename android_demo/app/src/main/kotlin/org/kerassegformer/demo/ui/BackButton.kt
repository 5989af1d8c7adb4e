package org.kerassegformer.demo.ui

import android.app.Activity
import android.os.Build
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher
import org.kerassegformer.demo.RequiresSdk

/**
 * The system's Back since Android 13, which must know in advance whether the app handles it: otherwise its gesture
 * shows what lies behind the app. Older versions call `Activity.onBackPressed`. Main thread only.
 */
internal class BackButton(activity: Activity, onBack: () -> Unit) {
    private val callback = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) Since33(activity, onBack) else null

    /** True if the app handles Back. */
    var isHandled = false
        set(value) {
            if (field == value) return
            field = value
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) callback?.register(value)
        }

    @RequiresSdk(Build.VERSION_CODES.TIRAMISU)
    private class Since33(private val activity: Activity, onBack: () -> Unit) {
        private val callback = OnBackInvokedCallback { onBack() }

        fun register(isHandled: Boolean) {
            val dispatcher = activity.onBackInvokedDispatcher
            if (isHandled) {
                dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
            } else {
                dispatcher.unregisterOnBackInvokedCallback(callback)
            }
        }
    }
}
