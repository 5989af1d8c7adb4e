package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.ScrollView
import org.kerassegformer.demo.R

/** Scrolls where its content is higher than `legend_height`, so that a long legend never covers the picture. */
internal class BoundedScrollView(context: Context, attributes: AttributeSet?) : ScrollView(context, attributes) {
    private val most = resources.getDimensionPixelSize(R.dimen.legend_height)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val offered = MeasureSpec.getSize(heightMeasureSpec)
        val bounded = when (MeasureSpec.getMode(heightMeasureSpec)) {
            MeasureSpec.EXACTLY -> MeasureSpec.makeMeasureSpec(minOf(offered, most), MeasureSpec.EXACTLY)
            MeasureSpec.AT_MOST -> MeasureSpec.makeMeasureSpec(minOf(offered, most), MeasureSpec.AT_MOST)
            else -> MeasureSpec.makeMeasureSpec(most, MeasureSpec.AT_MOST)
        }
        super.onMeasure(widthMeasureSpec, bounded)
    }
}
