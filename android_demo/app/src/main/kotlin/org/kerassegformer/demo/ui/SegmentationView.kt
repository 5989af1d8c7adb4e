package org.kerassegformer.demo.ui

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Path
import android.graphics.Rect
import android.graphics.RectF
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.Point
import org.kerassegformer.core.ViewGeometry
import org.kerassegformer.demo.R
import org.kerassegformer.demo.pictures.SegmentedPicture
import org.kerassegformer.demo.pictures.toRectF
import kotlin.math.roundToInt

/**
 * Displays an image with its segmentation mask. Both come as one object and are drawn in one pass, so that a mask
 * always matches its image. Without an image the view is transparent and shows the camera preview behind it.
 *
 * A tap labels the class at a point; the label is updated with new results.
 */
internal class SegmentationView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** The displayed image, or null. */
    var shown: SegmentedPicture? = null
        set(value) {
            field = value
            refresh()
        }

    /** Opacity of the mask, 0..1. */
    var opacity: Float = 1f
        set(value) {
            field = value
            invalidate()
        }

    /** True to label large segments with their class. */
    var names: Boolean = true
        set(value) {
            field = value
            invalidate()
        }

    /** Called with the name of the class at a tapped point; null if there is none. */
    var onPlaceTapped: (String?) -> Unit = {}

    /** The area that no panel covers, in which the image is displayed. */
    val contentBounds = Rect()

    private val radius = resources.getDimension(R.dimen.picture_radius)
    private val picturePaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val maskPaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val backdrop = Backdrop(context.getColor(R.color.viewfinder))
    private val labels = LabelPainter(context)
    private val outline = Path()
    private var pin: Point? = null

    /** Bounds of the image in the view, in pixels; null without an image. */
    val pictureBox: RectF?
        get() = geometry()?.picture?.toRectF()?.inContentBounds()

    /** Sets the area that no panel covers. */
    fun setContentBounds(left: Int, top: Int, right: Int, bottom: Int) {
        val bounds = Rect(left, top, right, bottom)
        if (contentBounds == bounds) return
        contentBounds.set(bounds)
        invalidate()
    }

    /** Removes the label of the last tap. */
    fun clearPin() {
        pin = null
        invalidate()
    }

    /** Call after the displayed image was modified. */
    fun refresh() {
        if (shown == null) pin = null
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val shown = shown ?: return
        val geometry = geometry() ?: return
        backdrop.draw(canvas, shown.picture, width, height)
        val box = checkNotNull(pictureBox)
        canvas.save()
        outline.rewind()
        outline.addRoundRect(box, radius, radius, Path.Direction.CW)
        canvas.clipPath(outline)
        canvas.drawBitmap(shown.picture, null, box, picturePaint)
        shown.mask?.let { drawMask(canvas, it, geometry) }
        canvas.restore()
        labels.begin(box)
        pin?.let { drawPin(canvas, shown, geometry, it) }
        if (names && opacity > 0f) drawNames(canvas, shown, geometry)
    }

    private fun drawMask(canvas: Canvas, mask: Bitmap, geometry: ViewGeometry) {
        maskPaint.alpha = (opacity * 255).roundToInt()
        canvas.drawBitmap(mask, null, geometry.tensor.toRectF().inContentBounds(), maskPaint)
    }

    private fun drawPin(canvas: Canvas, shown: SegmentedPicture, geometry: ViewGeometry, pin: Point) {
        val map = shown.map ?: return
        val place = geometry.toView(Point(pin.x * geometry.frame.tensorWidth, pin.y * geometry.frame.tensorHeight))
        val index = geometry.labelIndex(place.x, place.y, map.width, map.height)
        val name = shown.nameOf(map.labels.getOrElse(index) { NONE }) ?: return
        labels.drawPin(canvas, name, place.x.toFloat() + contentBounds.left, place.y.toFloat() + contentBounds.top)
    }

    private fun drawNames(canvas: Canvas, shown: SegmentedPicture, geometry: ViewGeometry) {
        val map = shown.map ?: return
        val tensorPerPlaceX = geometry.frame.tensorWidth.toDouble() / map.width
        val tensorPerPlaceY = geometry.frame.tensorHeight.toDouble() / map.height
        for (anchor in shown.anchors.take(MAX_LABELS)) {
            val name = shown.nameOf(anchor.index) ?: continue
            val place = geometry.toView(Point((anchor.x + 0.5) * tensorPerPlaceX, (anchor.y + 0.5) * tensorPerPlaceY))
            labels.drawName(canvas, name, place.x.toFloat() + contentBounds.left, place.y.toFloat() + contentBounds.top)
        }
    }

    private fun RectF.inContentBounds() = apply { offset(contentBounds.left.toFloat(), contentBounds.top.toFloat()) }

    private fun geometry(): ViewGeometry? {
        val shown = shown ?: return null
        if (contentBounds.width() <= 0 || contentBounds.height() <= 0) return null
        val bitmap = shown.picture
        val frame = shown.geometry ?: FrameGeometry(bitmap.width, bitmap.height, bitmap.width, bitmap.height)
        return ViewGeometry(frame, contentBounds.width(), contentBounds.height(), Framing.FIT)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (event.actionMasked == MotionEvent.ACTION_UP) {
            selectAt(event.x, event.y)
            super.performClick()
        }
        return true
    }

    /** Double tap of a screen reader: labels the centre of the image. */
    override fun performClick(): Boolean {
        super.performClick()
        pictureBox?.let { selectAt(it.centerX(), it.centerY()) }
        return true
    }

    private fun selectAt(x: Float, y: Float) {
        val shown = shown ?: return
        val geometry = geometry() ?: return
        val map = shown.map ?: return
        val point = Point((x - contentBounds.left).toDouble(), (y - contentBounds.top).toDouble())
        val index = geometry.labelIndex(point.x, point.y, map.width, map.height)
        val name = if (index < 0) null else shown.nameOf(map.labels[index])
        val tensor = geometry.toTensor(point)
        // Relative to the tensor, as another model may have another size.
        pin = Point(tensor.x / geometry.frame.tensorWidth, tensor.y / geometry.frame.tensorHeight)
            .takeIf { name != null }
        invalidate()
        onPlaceTapped(name)
    }

    private companion object {
        const val NONE = -1
        const val MAX_LABELS = 8
    }
}

/** A dark, strongly blurred copy of the image as the background. Reuses its buffers. */
private class Backdrop(private val ground: Int) {
    private val small = Bitmap.createBitmap(SIDE, SIDE, Bitmap.Config.ARGB_8888)
    private val smaller = Canvas(small)
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val source = Rect()
    private val target = Rect()

    fun draw(canvas: Canvas, picture: Bitmap, width: Int, height: Int) {
        crop(picture, width, height)
        target.set(0, 0, SIDE, SIDE)
        smaller.drawBitmap(picture, source, target, paint)
        target.set(0, 0, width, height)
        canvas.drawColor(ground)
        canvas.drawBitmap(small, null, target, paint)
        canvas.drawColor(ground and 0xFFFFFF or (SCRIM shl 24))
    }

    /** Centre crop of [picture] with the aspect ratio of the view. */
    private fun crop(picture: Bitmap, width: Int, height: Int) {
        val scale = minOf(picture.width.toFloat() / width, picture.height.toFloat() / height)
        val left = ((picture.width - width * scale) / 2).toInt()
        val top = ((picture.height - height * scale) / 2).toInt()
        source.set(left, top, left + (width * scale).toInt(), top + (height * scale).toInt())
    }

    private companion object {
        const val SIDE = 12
        const val SCRIM = 0x8C
    }
}

/** Draws class labels: white text on dark pills, readable on every colour, without overlaps. */
private class LabelPainter(context: Context) {
    private val density = context.resources.displayMetrics.density
    private val scaled = density * context.resources.configuration.fontScale
    private val ground = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.glass) }
    private val ring = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.WHITE
        style = Paint.Style.STROKE
        strokeWidth = 2.5f * density
    }
    private val small = textPaint(12f)
    private val large = textPaint(16f)
    private val taken = ArrayList<RectF>()
    private val bounds = RectF()

    private fun textPaint(size: Float) = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = Color.WHITE
        textSize = size * scaled
        typeface = android.graphics.Typeface.create("sans-serif-medium", android.graphics.Typeface.NORMAL)
    }

    /** Starts an image with the bounds [box], which contain all labels. */
    fun begin(box: RectF) {
        taken.clear()
        bounds.set(box)
    }

    fun drawName(canvas: Canvas, name: String, x: Float, y: Float) {
        val pill = pillAround(name, small, x, y, paddingX = 7f, paddingY = 3f)
        if (taken.any { RectF.intersects(it, pill) }) return
        drawPill(canvas, name, small, pill)
    }

    fun drawPin(canvas: Canvas, name: String, x: Float, y: Float) {
        canvas.drawCircle(x, y, 7f * density, ground)
        canvas.drawCircle(x, y, 7f * density, ring)
        taken += RectF(x - 9f * density, y - 9f * density, x + 9f * density, y + 9f * density)
        val above = y - 32f * density - large.textSize / 2
        val centre = if (above > bounds.top) above else y + 32f * density + large.textSize / 2
        drawPill(canvas, name, large, pillAround(name, large, x, centre, paddingX = 14f, paddingY = 8f))
    }

    private fun pillAround(name: String, paint: Paint, x: Float, y: Float, paddingX: Float, paddingY: Float): RectF {
        val halfWidth = paint.measureText(name) / 2 + paddingX * density
        val halfHeight = (paint.descent() - paint.ascent()) / 2 + paddingY * density
        val pill = RectF(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight)
        val margin = 4f * density
        val dx = maxOf(0f, bounds.left + margin - pill.left) - maxOf(0f, pill.right - bounds.right + margin)
        val dy = maxOf(0f, bounds.top + margin - pill.top) - maxOf(0f, pill.bottom - bounds.bottom + margin)
        pill.offset(dx, dy)
        return pill
    }

    private fun drawPill(canvas: Canvas, name: String, paint: Paint, pill: RectF) {
        val round = pill.height() / 2
        canvas.drawRoundRect(pill, round, round, ground)
        val left = pill.centerX() - paint.measureText(name) / 2
        canvas.drawText(name, left, pill.centerY() - (paint.ascent() + paint.descent()) / 2, paint)
        taken += pill
    }
}
