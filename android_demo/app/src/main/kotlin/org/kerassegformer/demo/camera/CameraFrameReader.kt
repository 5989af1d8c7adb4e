package org.kerassegformer.demo.camera

import org.kerassegformer.core.CameraFrame
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.FrameToInput
import org.kerassegformer.core.Framing
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.Plane
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.nio.ByteBuffer

/**
 * Converts camera frames to the model's input and to the displayed image. Both come from the same frame, so that a mask
 * always matches its image. Reuses its buffers. Not thread-safe.
 */
internal class CameraFrameReader {
    private var frame: CameraFrame? = null
    private var toModel: FrameToInput? = null
    private var toPicture: FrameToInput? = null
    private var rgb: ByteBuffer = ByteBuffer.allocateDirect(0)
    private var pixels = IntArray(0)

    /** Writes the model's input: the whole frame, letterboxed. */
    fun writeInput(image: YuvImage, orientation: Orientation, input: ByteBuffer, spec: InputSpec): FrameGeometry {
        val geometry = FrameGeometry(
            image.width, image.height, spec.width, spec.height, orientation.rotation, orientation.mirror, Framing.FIT,
        )
        val converter = toModel?.takeIf { it.geometry == geometry && it.type == spec.type }
            ?: FrameToInput(geometry, spec.type).also { toModel = it }
        converter.convert(planesOf(image), input)
        return geometry
    }

    /** Writes the upright frame to the bitmap of [picture]. */
    fun writePicture(image: YuvImage, orientation: Orientation, picture: SegmentedPicture) {
        val bitmap = picture.picture
        val geometry = FrameGeometry(
            image.width, image.height, bitmap.width, bitmap.height, orientation.rotation, orientation.mirror,
        )
        val converter = toPicture?.takeIf { it.geometry == geometry } ?: newPictureConverter(geometry)
        converter.convert(planesOf(image), rgb)
        for (i in pixels.indices) {
            val red = rgb.get(i * 3).toInt() and 0xFF
            val green = rgb.get(i * 3 + 1).toInt() and 0xFF
            val blue = rgb.get(i * 3 + 2).toInt() and 0xFF
            pixels[i] = OPAQUE or (red shl 16) or (green shl 8) or blue
        }
        bitmap.setPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    }

    private fun newPictureConverter(geometry: FrameGeometry): FrameToInput {
        val converter = FrameToInput(geometry)
        rgb = converter.newInput()
        pixels = IntArray(geometry.tensorWidth * geometry.tensorHeight)
        toPicture = converter
        return converter
    }

    private fun planesOf(image: YuvImage): CameraFrame {
        val kept = frame?.takeIf { it.width == image.width && it.height == image.height } ?: newFrame(image)
        kept.y.set(image.buffer(0), image.rowStride(0), image.pixelStride(0))
        kept.u.set(image.buffer(1), image.rowStride(1), image.pixelStride(1))
        kept.v.set(image.buffer(2), image.rowStride(2), image.pixelStride(2))
        return kept
    }

    private fun newFrame(image: YuvImage): CameraFrame {
        fun plane(index: Int) = Plane(image.buffer(index), image.rowStride(index), image.pixelStride(index))
        return CameraFrame(image.width, image.height, plane(0), plane(1), plane(2)).also { frame = it }
    }

    private companion object {
        const val OPAQUE = 0xFF shl 24
    }
}
