package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import org.kerassegformer.core.Box
import org.kerassegformer.core.Framing
import org.kerassegformer.core.ViewGeometry

/** Draws the mask over its image at the image's resolution, for saving and sharing. */
internal object PictureComposer {
    /**
     * Returns a new bitmap of the size of the image.
     *
     * @param opacity opacity of the mask, 0..1
     */
    fun compose(picture: SegmentedPicture, opacity: Float): Bitmap {
        val base = picture.picture
        val result = Bitmap.createBitmap(base.width, base.height, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(result)
        canvas.drawBitmap(base, 0f, 0f, null)
        val mask = picture.mask
        val geometry = picture.geometry
        if (mask != null && geometry != null) {
            val view = ViewGeometry(geometry, base.width, base.height, Framing.FIT)
            canvas.drawBitmap(mask, null, view.tensor.toRectF(), maskPaint(opacity))
        }
        return result
    }

    /** Creates the paint for masks, with bilinear filtering and the given opacity. */
    fun maskPaint(opacity: Float): Paint = Paint(Paint.FILTER_BITMAP_FLAG).apply { alpha = (opacity * 255).toInt() }
}

/** Converts to the rectangle type of `Canvas`. */
internal fun Box.toRectF(): RectF = RectF(left.toFloat(), top.toFloat(), right.toFloat(), bottom.toFloat())
