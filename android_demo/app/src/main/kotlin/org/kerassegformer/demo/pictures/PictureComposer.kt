package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.RectF
import org.kerassegformer.core.Box
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.LabelColorizer
import org.kerassegformer.core.ViewGeometry
import kotlin.math.ceil
import kotlin.math.floor

/** Draws the labels over their image, for saving and sharing, with smooth borders at the resolution of the image. */
internal object PictureComposer {
    /** Height of the strips in which the labels are rendered: a mask of 12 megapixels takes 50 MB. */
    private const val STRIP = 64

    /**
     * Returns the image with its labels.
     *
     * @param opacity opacity of the labels, 0..1
     * @param base the image in a higher resolution, which is drawn on; by default a copy of the displayed one
     */
    fun compose(picture: SegmentedPicture, opacity: Float, base: Bitmap = picture.picture): Bitmap {
        val isOwn = base !== picture.picture && base.isMutable
        val result = if (isOwn) base else base.copy(Bitmap.Config.ARGB_8888, true)
        picture.geometry?.let {
            val view = ViewGeometry(it, result.width, result.height, Framing.FIT)
            drawLabels(Canvas(result), picture, view, opacity)
        }
        return result
    }

    private fun drawLabels(canvas: Canvas, picture: SegmentedPicture, view: ViewGeometry, opacity: Float) {
        val map = picture.shownMap ?: return
        val labelSet = picture.labelSet ?: return
        val box = view.tensor
        val boxWidth = box.right - box.left
        val boxHeight = box.bottom - box.top
        val scale = minOf(1.0, FrameGeometry.MAX_TENSOR_SIDE / maxOf(boxWidth, boxHeight))
        val width = (boxWidth * scale).toInt().coerceAtLeast(1)
        val height = (boxHeight * scale).toInt().coerceAtLeast(1)
        val colorizer = LabelColorizer(labelSet, map.width, map.height, width, height)
        colorizer.opacity = opacity
        canvas.save()
        canvas.translate(box.left.toFloat(), box.top.toFloat())
        canvas.scale((boxWidth / width).toFloat(), (boxHeight / height).toFloat())
        // Only the rows that the image has; the rest is padding of the tensor.
        val first = floor(-box.top / boxHeight * height).toInt().coerceIn(0, height)
        val end = ceil((view.viewHeight - box.top) / boxHeight * height).toInt().coerceIn(first, height)
        val pixels = IntArray(width * STRIP)
        val strip = Bitmap.createBitmap(width, STRIP, Bitmap.Config.ARGB_8888)
        for (top in first until end step STRIP) {
            val rows = top until minOf(top + STRIP, end)
            colorizer.draw(map, pixels, rows)
            pixels.fill(0, rows.count() * width)
            strip.setPixels(pixels, 0, width, 0, 0, width, STRIP)
            canvas.drawBitmap(strip, 0f, top.toFloat(), null)
        }
        strip.recycle()
        canvas.restore()
    }
}

/** Converts to the rectangle type of `Canvas`. */
internal fun Box.toRectF(): RectF = RectF(left.toFloat(), top.toFloat(), right.toFloat(), bottom.toFloat())
