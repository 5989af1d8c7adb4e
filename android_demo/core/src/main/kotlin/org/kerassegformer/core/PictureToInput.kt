package org.kerassegformer.core

import java.nio.ByteBuffer

/**
 * Turns pictures of ARGB pixels into the model's input, as [FrameToInput] does with frames of the camera.
 *
 * Alpha is laid over white, as a page would show it. Turn and mirror are those of the picture's [Orientation].
 * For one thread.
 *
 * @throws FrameException [FrameFault.BAD_BUFFER]: a type other than those two
 */
public class PictureToInput(
    public val geometry: FrameGeometry,
    public val type: TensorType = TensorType.UINT8,
) {
    private val tensor = InputTensor(geometry, type)
    private val order = SamplingOrder(geometry)
    private val across = order.across(subsampling = 1)
    private val sources = RGB_SHIFTS.map { ChannelRows(geometry.frameWidth, shift = it) }
    private val channels = sources.map { BlendedRow(it, across, order.down(subsampling = 1)) }

    /** A direct buffer in native byte order that fits [convert]. */
    public fun newInput(): ByteBuffer = tensor.newInput()

    /**
     * Writes the input of the model, `(height, width, 3)`.
     *
     * @param pixels ARGB, not premultiplied, row by row without gaps, as `Bitmap.getPixels` gives them
     * @param input filled from its start, and at its start again afterwards
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
            val index = tap ushr Axis.FRACTION_BITS
            val weight = tap and Axis.FRACTION_MASK
            val sum = row[index] * (Axis.ONE - weight) + row[index + 1] * weight
            tensor.pixels[at] = (sum + ROUNDING shr ROW_BITS).toByte()
            at += step
        }
    }

    private fun check(pixels: IntArray) {
        val needed = geometry.frameWidth * geometry.frameHeight
        if (pixels.size < needed) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "The picture has ${pixels.size} pixels where ${geometry.frameWidth} x ${geometry.frameHeight} need " +
                    "$needed; decode it again.",
            )
        }
    }

    private companion object {
        val RGB_SHIFTS = listOf(16, 8, 0)
        const val ROW_BITS = 2 * Axis.FRACTION_BITS
        const val ROUNDING = 1 shl ROW_BITS - 1
    }
}

/** One colour of a picture, over white. */
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
