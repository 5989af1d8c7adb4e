package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View
import android.view.ViewConfiguration
import android.view.ViewGroup
import android.widget.LinearLayout
import kotlin.math.abs

/** A layout that can be dragged up or down, to open or close a sheet. Its children keep taps and horizontal drags. */
internal class DragLayout(context: Context, attributes: AttributeSet?) : LinearLayout(context, attributes) {
    /** Called once per drag, with true for upwards. */
    var onDragged: (Boolean) -> Unit = {}

    private val slop = ViewConfiguration.get(context).scaledTouchSlop
    private var startX = 0f
    private var startY = 0f
    private var reported = false

    override fun onInterceptTouchEvent(event: MotionEvent): Boolean {
        if (event.actionMasked == MotionEvent.ACTION_DOWN) begin(event)
        return isDrag(event) && !scrolls(this, if (event.y < startY) 1 else -1)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (event.actionMasked == MotionEvent.ACTION_DOWN) begin(event)
        if (!reported && isDrag(event)) {
            reported = true
            onDragged(event.y < startY)
        }
        return super.onTouchEvent(event) || reported
    }

    private fun begin(event: MotionEvent) {
        startX = event.x
        startY = event.y
        reported = false
    }

    private fun isDrag(event: MotionEvent): Boolean {
        val down = abs(event.y - startY)
        return event.actionMasked != MotionEvent.ACTION_DOWN && down > slop && down > abs(event.x - startX)
    }

    /** Returns true if a list inside can still be scrolled instead. */
    private fun scrolls(view: View, direction: Int): Boolean = view is ViewGroup &&
        (0 until view.childCount).map(view::getChildAt)
            .any { it.isShown && (it.canScrollVertically(direction) || scrolls(it, direction)) }
}
