package org.kerassegformer.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.LinearLayout
import org.kerassegformer.demo.R

/** A column of text and tables that stays readable on wide screens: never wider than `page_width`, centred. */
internal class PageLayout(context: Context, attributes: AttributeSet?) : LinearLayout(context, attributes) {
    private val least = paddingLeft
    private val most = resources.getDimensionPixelSize(R.dimen.page_width)

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val margin = maxOf(least, (MeasureSpec.getSize(widthMeasureSpec) - most) / 2)
        setPadding(margin, paddingTop, margin, paddingBottom)
        super.onMeasure(widthMeasureSpec, heightMeasureSpec)
    }
}
