package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.LinearLayout
import org.kerassegformer.demo.R

/** A centred column of limited width (`page_max_width`), readable on wide screens. */
internal class MaxWidthLayout(context: Context, attributes: AttributeSet?) : LinearLayout(context, attributes) {
    private val minMargin = paddingLeft
    private val maxWidth = resources.getDimensionPixelSize(R.dimen.page_max_width)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val margin = maxOf(minMargin, (MeasureSpec.getSize(widthMeasureSpec) - maxWidth) / 2)
        setPadding(margin, paddingTop, margin, paddingBottom)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}
