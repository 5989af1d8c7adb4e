package org.kerassegformer.core

import java.nio.ByteBuffer

/**
 * YUV to RGB conversion matrices (ITU-R BT.601 and BT.709).
 *
 * Cameras deliver [BT601_FULL], the encoding of JPEG, unless they report another one.
 *
 * @property lumaOffset luma of black
 * @property luma coefficient of luma
 * @property redOfV coefficient of (V - 128) in red; the others accordingly
 */
public enum class YuvEncoding(
    internal val lumaOffset: Int,
    internal val luma: Double,
    internal val redOfV: Double,
    internal val greenOfU: Double,
    internal val greenOfV: Double,
    internal val blueOfU: Double,
) {
    BT601_FULL(0, 1.0, 1.402, -0.344136, -0.714136, 1.772),
    BT601_LIMITED(16, 1.164384, 1.596027, -0.391762, -0.812968, 2.017232),
    BT709_FULL(0, 1.0, 1.5748, -0.187324, -0.468124, 1.8556),
    BT709_LIMITED(16, 1.164384, 1.792741, -0.213249, -0.532909, 2.112402),
}

/**
 * A plane of a frame: the sample at column x and row y is the byte at `position + y * rowStride + x * pixelStride`.
 *
 * @property buffer any byte buffer; its position is preserved
 * @property rowStride bytes between the starts of two rows
 * @property pixelStride bytes between two samples of a row
 */
public class Plane(
    public var buffer: ByteBuffer,
    public var rowStride: Int,
    public var pixelStride: Int,
) {
    /** Reuses this object for the plane of the next frame. Allocates nothing. */
    public fun set(buffer: ByteBuffer, rowStride: Int, pixelStride: Int) {
        this.buffer = buffer
        this.rowStride = rowStride
        this.pixelStride = pixelStride
    }

    /**
     * @throws FrameException [FrameFault.BAD_SHAPE]: the strides do not fit the size; [FrameFault.BUFFER_TOO_SMALL]
     */
    internal fun check(name: String, width: Int, height: Int) {
        val rowBytes = (width - 1L) * pixelStride + 1
        if (pixelStride < 1 || rowStride < 1 || (height > 1 && rowStride < rowBytes)) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "Plane $name has row stride $rowStride and pixel stride $pixelStride, too small for " +
                    "$width samples per row; use the strides of the image's own plane.",
            )
        }
        val needed = (height - 1L) * rowStride + rowBytes
        if (buffer.remaining() < needed) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "Plane $name has ${buffer.remaining()} bytes, but $width x $height samples need $needed; skip it.",
            )
        }
    }
}

/**
 * A YUV_420_888 frame: luma, and centred chroma subsampled by 2 in both directions (sides rounded up).
 *
 * Reusable: set its planes for each frame.
 */
public class CameraFrame(
    public val width: Int,
    public val height: Int,
    public val y: Plane,
    public val u: Plane,
    public val v: Plane,
)
