package org.kerassegformer.core

import java.nio.ByteBuffer

/** Computes the subsampling factor for decoding an image (`BitmapFactory.Options.inSampleSize`). */
public object PictureSampling {
    /**
     * Returns the largest power of two that keeps both sides at least as long as those of the tensor.
     *
     * The remaining bilinear scaling is by a factor below two in one direction, which avoids aliasing.
     *
     * @throws FrameException [FrameFault.BAD_SHAPE]: a side is less than 1
     */
    public fun sampleSize(width: Int, height: Int, tensorWidth: Int, tensorHeight: Int): Int {
        if (minOf(width, height, tensorWidth, tensorHeight) < 1) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "$width x $height pixels cannot be scaled to $tensorWidth x $tensorHeight; choose another image.",
            )
        }
        var size = 1
        while (width / (2 * size) >= tensorWidth && height / (2 * size) >= tensorHeight) size *= 2
        return size
    }
}

/**
 * Converts ARGB images to the model's input, as [FrameToInput] does with camera frames.
 *
 * Transparent pixels are composited over white. Not thread-safe.
 *
 * @throws FrameException [FrameFault.BAD_BUFFER]: unsupported type
 */
public class PictureToInput(
    public val geometry: FrameGeometry,
    public val type: TensorType = TensorType.UINT8,
) {
    private val tensor = InputTensor(geometry, type)
    private val order = ScanOrder(geometry)
    private val across = order.across(subsampling = 1)
    private val sources = RGB_SHIFTS.map { ChannelRows(geometry.frameWidth, shift = it) }
    private val channels = sources.map { InterpolatedRow(it, across, order.down(subsampling = 1)) }

    /** Allocates a direct buffer in native byte order for [convert]. */
    public fun newInput(): ByteBuffer = tensor.newInput()

    /**
     * Writes the model's input, `(height, width, 3)`.
     *
     * @param pixels ARGB, not premultiplied, contiguous rows, as returned by `Bitmap.getPixels`
     * @param input filled from its start, and rewound
     * @throws FrameException a buffer does not fit
     */
    public fun convert(pixels: IntArray, input: ByteBuffer) {
        check(pixels)
        tensor.check(input)
        for (channel in 0 until InputTensor.CHANNELS) {
            sources[channel].pixels = pixels
            channels[channel].restart()
            var pixel = order.firstPixel
            for (line in 0 until order.lines) {
                channels[channel].moveTo(line)
                write(channels[channel].samples, pixel * InputTensor.CHANNELS + channel)
                pixel += order.lineStep
            }
        }
        tensor.writeTo(input)
    }

    private fun write(row: IntArray, first: Int) {
        val taps = across.taps
        val step = order.pixelStep * InputTensor.CHANNELS
        var at = first
        for (tap in taps) {
            val index = tap ushr ResamplingAxis.FRACTION_BITS
            val weight = tap and ResamplingAxis.FRACTION_MASK
            val sum = row[index] * (ResamplingAxis.ONE - weight) + row[index + 1] * weight
            tensor.pixels[at] = (sum + ROUNDING shr ROW_BITS).toByte()
            at += step
        }
    }

    private fun check(pixels: IntArray) {
        val needed = geometry.frameWidth * geometry.frameHeight
        if (pixels.size < needed) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "The image has ${pixels.size} pixels, but ${geometry.frameWidth} x ${geometry.frameHeight} need " +
                    "$needed; decode it again.",
            )
        }
    }

    private companion object {
        val RGB_SHIFTS = listOf(16, 8, 0)
        const val ROW_BITS = 2 * ResamplingAxis.FRACTION_BITS
        const val ROUNDING = 1 shl ROW_BITS - 1
    }
}

/** Reads one colour channel of an image, composited over white. */
private class ChannelRows(private val width: Int, private val shift: Int) : RowSource {
    lateinit var pixels: IntArray

    override fun read(row: Int, firstColumn: Int, count: Int, into: IntArray) {
        val start = row * width + firstColumn
        for (index in 0 until count) {
            val pixel = pixels[start + index]
            val value = pixel shr shift and 0xFF
            val alpha = pixel ushr 24
            into[index] = if (alpha == 255) value else (value * alpha + 255 * (255 - alpha) + 127) / 255
        }
    }
}
