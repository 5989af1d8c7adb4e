package org.kerassegformer.demo.ui

import android.content.Context
import android.graphics.drawable.GradientDrawable
import android.util.AttributeSet
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import org.kerassegformer.core.ClassShare
import org.kerassegformer.demo.R

/** Colour, name and share of each class in [parent], a view per class. Reuses its views. */
internal class LegendItems(private val parent: ViewGroup, private val layout: Int, private val names: ClassNames) {
    /** Called with the index of the class that was tapped. */
    var onClassTapped: (Int) -> Unit = {}

    private val resources = parent.resources
    private val texts = EngineTexts(resources)
    private val density = resources.displayMetrics.density

    /** Shows [shares], by descending share. @param selected the only class shown, or null */
    fun show(shares: List<ClassShare>, selected: Int?) {
        while (parent.childCount < shares.size) add()
        while (parent.childCount > shares.size) parent.removeViewAt(parent.childCount - 1)
        shares.forEachIndexed { i, share -> fill(parent.getChildAt(i), share, share.index == selected) }
    }

    private fun add() {
        val item = LayoutInflater.from(parent.context).inflate(layout, parent, false)
        val swatch = GradientDrawable().apply { cornerRadius = 5 * density }
        item.requireView<ImageView>(R.id.swatch).setImageDrawable(swatch)
        parent.addView(item)
    }

    private fun fill(item: View, share: ClassShare, selected: Boolean) {
        val swatch = item.requireView<ImageView>(R.id.swatch).drawable as GradientDrawable
        swatch.setColor(share.color)
        swatch.setStroke(density.toInt().coerceAtLeast(1), parent.context.getColor(R.color.swatch_line))
        val name = names.of(share.name)
        item.requireView<TextView>(R.id.name).setTextIfChanged(name)
        val percent = texts.share(share.share)
        item.requireView<TextView>(R.id.share).setTextIfChanged(percent)
        item.isSelected = selected
        val description = if (selected) R.string.legend_row_selected else R.string.legend_row
        item.contentDescription = resources.getString(description, name, percent)
        item.setOnClickListener { onClassTapped(share.index) }
    }

    private fun TextView.setTextIfChanged(value: String) {
        if (text.toString() != value) text = value
    }
}

/** Lays out the rows of the legend in as many columns as fit. */
internal class LegendView(context: Context, attributes: AttributeSet?) : ViewGroup(context, attributes) {
    private val gap = resources.getDimensionPixelSize(R.dimen.space_small)
    private val density = resources.displayMetrics.density
    private var columns = 1

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val width = MeasureSpec.getSize(widthMeasureSpec)
        val least = LEAST_COLUMN_DP * density * resources.configuration.fontScale
        columns = (width / least).toInt().coerceIn(1, MOST_COLUMNS)
        val column = MeasureSpec.makeMeasureSpec((width - gap * (columns - 1)) / columns, MeasureSpec.EXACTLY)
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        rows().forEach { it.measure(column, free) }
        val height = rows().chunked(columns).sumOf { line -> line.maxOf(View::getMeasuredHeight) + gap } - gap
        setMeasuredDimension(width, resolveSize(height.coerceAtLeast(0), heightMeasureSpec))
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        var y = 0
        for (line in rows().chunked(columns)) {
            var x = 0
            for (row in line) {
                row.layout(x, y, x + row.measuredWidth, y + row.measuredHeight)
                x += row.measuredWidth + gap
            }
            y += line.maxOf(View::getMeasuredHeight) + gap
        }
    }

    private fun rows(): List<View> = (0 until childCount).map(::getChildAt)

    private companion object {
        const val LEAST_COLUMN_DP = 160
        const val MOST_COLUMNS = 3
    }
}
