package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import org.kerassegformer.core.Box
import org.kerassegformer.core.Framing
import org.kerassegformer.core.ViewGeometry

/** Lays the mask over its picture, in the picture's own pixels: what is saved and shared. */
internal object PictureComposer {
    /**
     * A new bitmap of the size of the picture.
     *
     * @param opacity of the colours, 0..1
     */
    fun compose(picture: MaskedPicture, opacity: Float): Bitmap {
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

    /** The paint of masks: filtered, with the opacity of the user. */
    fun maskPaint(opacity: Float): Paint = Paint(Paint.FILTER_BITMAP_FLAG).apply { alpha = (opacity * 255).toInt() }
}

/** The same rectangle for a canvas. */
internal fun Box.toRectF(): RectF = RectF(left.toFloat(), top.toFloat(), right.toFloat(), bottom.toFloat())
