package org.kerassegformer.core

import java.nio.ByteBuffer

/**
 * How luma and chroma become red, green and blue (ITU-R BT.601 and BT.709).
 *
 * Cameras give [BT601_FULL], which is JPEG's, unless they say otherwise.
 *
 * @property lumaOffset luma of black
 * @property luma factor of luma
 * @property redOfV factor of (V - 128) in red, and so on
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
 * A plane of a frame: the sample in column x and row y is the byte at `position + y * rowStride + x * pixelStride`.
 *
 * @property buffer of any kind; its position is the same after use as before
 * @property rowStride bytes from row to row
 * @property pixelStride bytes from sample to sample in a row
 */
public class Plane(
    public var buffer: ByteBuffer,
    public var rowStride: Int,
    public var pixelStride: Int,
) {
    /** Points at the plane of the next frame; makes nothing. */
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
                "Plane $name has $rowStride bytes a row and $pixelStride a sample, which cannot hold $width samples " +
                    "a row; take the strides of the image's own plane.",
            )
        }
        val needed = (height - 1L) * rowStride + rowBytes
        if (buffer.remaining() < needed) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "Plane $name has ${buffer.remaining()} bytes where $width x $height samples need $needed; skip the " +
                    "frame.",
            )
        }
    }
}

/**
 * A frame of YUV_420_888: luma of every pixel, chroma of every 2 by 2 pixels (rounded up), centred on them.
 *
 * May be kept and its planes set anew for every frame.
 */
public class CameraFrame(
    public val width: Int,
    public val height: Int,
    public val y: Plane,
    public val u: Plane,
    public val v: Plane,
)
