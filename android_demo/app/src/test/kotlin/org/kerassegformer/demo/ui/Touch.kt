package org.kerassegformer.demo.ui

import android.os.SystemClock
import android.view.MotionEvent
import android.view.View

/** Touch events. */
internal object Touch {
    /** Taps a point of a view, in pixels. */
    fun tap(view: View, x: Float, y: Float) {
        val now = SystemClock.uptimeMillis()
        for (action in listOf(MotionEvent.ACTION_DOWN, MotionEvent.ACTION_UP)) {
            val event = MotionEvent.obtain(now, now, action, x, y, 0)
            view.dispatchTouchEvent(event)
            event.recycle()
        }
    }
}
