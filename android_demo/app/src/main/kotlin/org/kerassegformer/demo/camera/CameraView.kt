package org.kerassegformer.demo.camera

import android.graphics.Rect
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.params.MeteringRectangle
import kotlin.math.roundToInt

/**
 * The part of the sensor that a camera shows, and the point of it that is in focus. Used on one thread.
 *
 * @param sensor active pixels; null if unknown: there is no zoom then
 * @property mostZoom largest magnification, at least 1
 * @param canFocus true if the camera can focus on a point
 * @param canExpose true if it can expose for a point
 */
internal class CameraView(
    private val sensor: Rect?,
    val mostZoom: Float,
    private val canFocus: Boolean,
    private val canExpose: Boolean,
) {
    /** Magnification. */
    var zoom: Float = 1f
        set(value) {
            field = value.coerceIn(1f, mostZoom)
        }

    private var point: Pair<Float, Float>? = null

    /** Selects the point in focus, in the frame before rotation, with coordinates 0..1. @return false if that is not possible */
    fun focusAt(x: Float, y: Float): Boolean {
        if (sensor == null || !canFocus && !canExpose) return false
        point = x.coerceIn(0f, 1f) to y.coerceIn(0f, 1f)
        return true
    }

    /** The camera selects its focus itself again. */
    fun releaseFocus() {
        point = null
    }

    /** The visible part of the sensor. */
    fun crop(): Rect? {
        val sensor = sensor ?: return null
        val width = (sensor.width() / zoom).roundToInt()
        val height = (sensor.height() / zoom).roundToInt()
        val left = sensor.left + (sensor.width() - width) / 2
        val top = sensor.top + (sensor.height() - height) / 2
        return Rect(left, top, left + width, top + height)
    }

    /** A square around the point in focus, in pixels of the sensor; null if there is none. */
    fun focusArea(): Rect? {
        val (x, y) = point ?: return null
        val crop = crop() ?: return null
        val half = (minOf(crop.width(), crop.height()) * FOCUS_SHARE / 2).roundToInt()
        val centreX = (crop.left + x * crop.width()).roundToInt().coerceIn(crop.left + half, crop.right - half)
        val centreY = (crop.top + y * crop.height()).roundToInt().coerceIn(crop.top + half, crop.bottom - half)
        return Rect(centreX - half, centreY - half, centreX + half, centreY + half)
    }

    /** Sets zoom and focus of a request. */
    fun setUp(request: CaptureRequest.Builder) {
        if (zoom > 1f) request.set(CaptureRequest.SCALER_CROP_REGION, crop())
        val area = focusArea()?.let { arrayOf(MeteringRectangle(it, MeteringRectangle.METERING_WEIGHT_MAX)) }
        val focuses = area != null && canFocus
        request.set(
            CaptureRequest.CONTROL_AF_MODE,
            if (focuses) CameraMetadata.CONTROL_AF_MODE_AUTO else CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE,
        )
        if (focuses) request.set(CaptureRequest.CONTROL_AF_REGIONS, area)
        if (area != null && canExpose) request.set(CaptureRequest.CONTROL_AE_REGIONS, area)
    }

    internal companion object {
        /** Side of the area in focus as a share of the shorter side of the image. */
        private const val FOCUS_SHARE = .15f

        /** More magnification shows pixels, not details. */
        private const val MOST_ZOOM = 8f

        fun of(camera: CameraCharacteristics): CameraView {
            val sensor = camera[CameraCharacteristics.SENSOR_INFO_ACTIVE_ARRAY_SIZE]
            val zoom = camera[CameraCharacteristics.SCALER_AVAILABLE_MAX_DIGITAL_ZOOM] ?: 1f
            val modes = camera[CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES] ?: IntArray(0)
            val areas = camera[CameraCharacteristics.CONTROL_MAX_REGIONS_AF] ?: 0
            return CameraView(
                sensor = sensor,
                mostZoom = if (sensor == null) 1f else zoom.coerceIn(1f, MOST_ZOOM),
                canFocus = areas > 0 && CameraMetadata.CONTROL_AF_MODE_AUTO in modes,
                canExpose = (camera[CameraCharacteristics.CONTROL_MAX_REGIONS_AE] ?: 0) > 0,
            )
        }
    }
}
