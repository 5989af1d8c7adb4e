package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.LinearLayout
import android.widget.ScrollView
import org.kerassegformer.demo.R

/** A scroll view of limited height (`sheet_max_height`), so that a long sheet does not cover the image. */
internal class MaxHeightScrollView(context: Context, attributes: AttributeSet?) : ScrollView(context, attributes) {
    private val maxHeight = resources.getDimensionPixelSize(R.dimen.sheet_max_height)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val offered = MeasureSpec.getSize(heightMeasureSpec)
        val bounded = when (MeasureSpec.getMode(heightMeasureSpec)) {
            MeasureSpec.EXACTLY -> MeasureSpec.makeMeasureSpec(minOf(offered, maxHeight), MeasureSpec.EXACTLY)
            MeasureSpec.AT_MOST -> MeasureSpec.makeMeasureSpec(minOf(offered, maxHeight), MeasureSpec.AT_MOST)
            else -> MeasureSpec.makeMeasureSpec(maxHeight, MeasureSpec.AT_MOST)
        }
        super.onMeasure(widthMeasureSpec, bounded)
    }
}

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
