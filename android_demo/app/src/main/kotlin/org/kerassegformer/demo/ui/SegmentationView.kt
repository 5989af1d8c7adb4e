package org.kerassegformer.demo.ui

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Rect
import android.graphics.RectF
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.MotionEvent
import android.view.ScaleGestureDetector
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
 * A tap labels the class at a point; the label is updated with new results. Two fingers magnify a still image here, and
 * a live one in the camera.
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

    /** Names of the classes. */
    var classNames: ClassNames = ClassNames.of(context)

    /** True for the camera's image, false for a still image. */
    var isLive: Boolean = true
        set(value) {
            if (field != value) magnifier.reset()
            field = value
        }

    /** Called with the name of the class at a tapped point; null if there is none. */
    var onPlaceTapped: (String?) -> Unit = {}

    /** Called with a tapped point of the live image, with coordinates 0..1. */
    var onFocus: (Float, Float) -> Unit = { _, _ -> }

    /** Called with the factor by which two fingers magnify the live image. */
    var onZoom: (Float) -> Unit = {}

    /** The area that no panel covers, in which the image is displayed. */
    val contentBounds = Rect()

    /** The part of [contentBounds] that no button covers, in which names are drawn. */
    val labelBounds = Rect()

    private val picturePaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val maskPaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val labels = LabelPainter(context)
    private val magnifier = Magnifier()
    private val gestures = Gestures()
    private var pin: Point? = null

    /** Bounds of the image in the view, in pixels; null without an image. */
    val pictureBox: RectF?
        get() = geometry()?.picture?.toRectF()?.onStage()

    /** Sets the area that no panel covers. */
    fun setContentBounds(left: Int, top: Int, right: Int, bottom: Int) {
        val bounds = Rect(left, top, right, bottom)
        if (contentBounds == bounds) return
        contentBounds.set(bounds)
        magnifier.reset()
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
        val box = checkNotNull(pictureBox)
        canvas.save()
        canvas.clipRect(contentBounds)
        canvas.clipRect(box)
        canvas.drawBitmap(shown.picture, null, box, picturePaint)
        shown.mask?.let { drawMask(canvas, it, geometry) }
        canvas.restore()
        labels.begin(box, labelBounds)
        pin?.let { drawPin(canvas, shown, geometry, it) }
        if (names && opacity > 0f) drawNames(canvas, shown, geometry)
    }

    private fun drawMask(canvas: Canvas, mask: Bitmap, geometry: ViewGeometry) {
        maskPaint.alpha = (opacity * 255).roundToInt()
        canvas.drawBitmap(mask, null, geometry.tensor.toRectF().onStage(), maskPaint)
    }

    private fun drawPin(canvas: Canvas, shown: SegmentedPicture, geometry: ViewGeometry, pin: Point) {
        val map = shown.map ?: return
        val place = geometry.toView(Point(pin.x * geometry.frame.tensorWidth, pin.y * geometry.frame.tensorHeight))
        val index = geometry.labelIndex(place.x, place.y, map.width, map.height)
        val name = nameOf(shown, map.labels.getOrElse(index) { NONE }) ?: return
        labels.drawPin(canvas, name, place.x.toFloat() + stage.left, place.y.toFloat() + stage.top)
    }

    private fun drawNames(canvas: Canvas, shown: SegmentedPicture, geometry: ViewGeometry) {
        val map = shown.map ?: return
        val tensorPerPlaceX = geometry.frame.tensorWidth.toDouble() / map.width
        val tensorPerPlaceY = geometry.frame.tensorHeight.toDouble() / map.height
        for (anchor in shown.anchors.take(MAX_LABELS)) {
            val name = nameOf(shown, anchor.index) ?: continue
            val place = geometry.toView(Point((anchor.x + 0.5) * tensorPerPlaceX, (anchor.y + 0.5) * tensorPerPlaceY))
            labels.drawName(canvas, name, place.x.toFloat() + stage.left, place.y.toFloat() + stage.top)
        }
    }

    private fun nameOf(shown: SegmentedPicture, index: Int): String? = shown.nameOf(index)?.let(classNames::of)

    /** [contentBounds], magnified. */
    private val stage: RectF get() = magnifier.stage

    private fun RectF.onStage() = apply { offset(stage.left, stage.top) }

    private fun geometry(): ViewGeometry? {
        val shown = shown ?: return null
        if (contentBounds.width() <= 0 || contentBounds.height() <= 0) return null
        val bitmap = shown.picture
        val frame = shown.geometry ?: FrameGeometry(bitmap.width, bitmap.height, bitmap.width, bitmap.height)
        return ViewGeometry(frame, stage.width().roundToInt(), stage.height().roundToInt(), Framing.FIT)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        gestures.onTouch(event)
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
        val point = Point((x - stage.left).toDouble(), (y - stage.top).toDouble())
        val index = geometry.labelIndex(point.x, point.y, map.width, map.height)
        val name = if (index < 0) null else nameOf(shown, map.labels[index])
        val tensor = geometry.toTensor(point)
        // Relative to the tensor, as another model may have another size.
        pin = Point(tensor.x / geometry.frame.tensorWidth, tensor.y / geometry.frame.tensorHeight)
            .takeIf { name != null }
        invalidate()
        onPlaceTapped(name)
        val box = checkNotNull(pictureBox)
        if (isLive && box.contains(x, y)) onFocus((x - box.left) / box.width(), (y - box.top) / box.height())
    }

    /** Magnification and position of a still image. */
    private inner class Magnifier {
        val stage = RectF()
        private var zoom = 1f

        fun reset() {
            zoom = 1f
            stage.set(contentBounds)
            invalidate()
        }

        /** Magnifies by [factor] around a point that stays where it is. */
        fun zoomBy(factor: Float, x: Float, y: Float) {
            val before = zoom
            zoom = (zoom * factor).coerceIn(1f, MOST_ZOOM)
            val scale = zoom / before
            move(x + (stage.left - x) * scale, y + (stage.top - y) * scale)
        }

        fun moveBy(dx: Float, dy: Float) = move(stage.left + dx, stage.top + dy)

        /** Moves the upper left corner; the image always fills the bounds. */
        private fun move(left: Float, top: Float) {
            val width = contentBounds.width() * zoom
            val height = contentBounds.height() * zoom
            val x = left.coerceIn(contentBounds.right - width, contentBounds.left.toFloat())
            val y = top.coerceIn(contentBounds.bottom - height, contentBounds.top.toFloat())
            stage.set(x, y, x + width, y + height)
            invalidate()
        }
    }

    private inner class Gestures :
        GestureDetector.SimpleOnGestureListener(), ScaleGestureDetector.OnScaleGestureListener {
        private val taps = GestureDetector(context, this).apply { setIsLongpressEnabled(false) }
        private val pinches = ScaleGestureDetector(context, this).apply { isQuickScaleEnabled = false }

        fun onTouch(event: MotionEvent) {
            pinches.onTouchEvent(event)
            taps.onTouchEvent(event)
        }

        override fun onSingleTapUp(event: MotionEvent): Boolean {
            selectAt(event.x, event.y)
            super@SegmentationView.performClick()
            return true
        }

        override fun onDoubleTap(event: MotionEvent): Boolean {
            if (!isLive) magnifier.reset()
            return true
        }

        override fun onScroll(down: MotionEvent?, move: MotionEvent, dx: Float, dy: Float): Boolean {
            if (!isLive && !pinches.isInProgress) magnifier.moveBy(-dx, -dy)
            return true
        }

        override fun onScale(pinch: ScaleGestureDetector): Boolean {
            if (isLive) onZoom(pinch.scaleFactor) else magnifier.zoomBy(pinch.scaleFactor, pinch.focusX, pinch.focusY)
            return true
        }

        override fun onScaleBegin(pinch: ScaleGestureDetector) = true

        override fun onScaleEnd(pinch: ScaleGestureDetector) = Unit
    }

    private companion object {
        const val NONE = -1
        const val MAX_LABELS = 8
        const val MOST_ZOOM = 8f
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

    /** Starts an image at [box], of which [visible] contains all labels. */
    fun begin(box: RectF, visible: Rect) {
        taken.clear()
        bounds.set(visible)
        bounds.intersect(box)
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
