package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
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
