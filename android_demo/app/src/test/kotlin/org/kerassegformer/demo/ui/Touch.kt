package org.kerassegformer.demo.ui

import android.os.SystemClock
import android.view.InputDevice
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

    /** Drags a view from a point to another one. */
    fun drag(view: View, fromX: Float, fromY: Float, toX: Float, toY: Float) {
        val now = SystemClock.uptimeMillis()
        for (step in 0..STEPS + 1) {
            val share = minOf(step, STEPS) / STEPS.toFloat()
            val action = when (step) {
                0 -> MotionEvent.ACTION_DOWN
                STEPS + 1 -> MotionEvent.ACTION_UP
                else -> MotionEvent.ACTION_MOVE
            }
            val x = fromX + (toX - fromX) * share
            val event = MotionEvent.obtain(now, now + 16 * step, action, x, fromY + (toY - fromY) * share, 0)
            view.dispatchTouchEvent(event)
            event.recycle()
        }
    }

    /** Moves two fingers from a distance to another one, around the centre of a view. */
    fun pinch(view: View, from: Float, to: Float) {
        val now = SystemClock.uptimeMillis()
        fun send(step: Int, action: Int, distance: Float, fingers: Int) {
            val properties = Array(fingers) { finger -> MotionEvent.PointerProperties().apply { id = finger } }
            val places = Array(fingers) { finger ->
                MotionEvent.PointerCoords().apply {
                    x = view.width / 2f + (if (finger == 0) -1 else 1) * distance / 2
                    y = view.height / 2f
                    pressure = 1f
                    size = 1f
                }
            }
            val time = now + 16 * step
            val event =
                MotionEvent.obtain(now, time, action, fingers, properties, places, 0, 0, 1f, 1f, 0, 0, SCREEN, 0)
            view.dispatchTouchEvent(event)
            event.recycle()
        }
        val second = 1 shl MotionEvent.ACTION_POINTER_INDEX_SHIFT
        send(0, MotionEvent.ACTION_DOWN, from, fingers = 1)
        send(1, MotionEvent.ACTION_POINTER_DOWN or second, from, fingers = 2)
        for (step in 1..STEPS) {
            send(1 + step, MotionEvent.ACTION_MOVE, from + (to - from) * step / STEPS, fingers = 2)
        }
        send(STEPS + 2, MotionEvent.ACTION_POINTER_UP or second, to, fingers = 2)
        send(STEPS + 3, MotionEvent.ACTION_UP, to, fingers = 1)
    }

    private const val STEPS = 8
    private const val SCREEN = InputDevice.SOURCE_TOUCHSCREEN
}
