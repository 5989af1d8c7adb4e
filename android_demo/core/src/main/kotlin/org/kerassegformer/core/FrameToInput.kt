package org.kerassegformer.core

import java.nio.ByteBuffer
import kotlin.math.roundToInt

/**
 * Converts camera frames to the model's input in one pass: rotation, mirroring, cropping or padding, bilinear scaling,
 * and YUV to RGB.
 *
 * Luma and chroma are interpolated on their own grids, then converted to RGB and rounded. Create one per geometry:
 * [convert] allocates nothing. Not thread-safe.
 *
 * @param type [TensorType.UINT8] or [TensorType.FLOAT32]; both hold integers 0..255
 * @throws FrameException [FrameFault.BAD_BUFFER]: unsupported type
 */
public class FrameToInput(
    public val geometry: FrameGeometry,
    public val type: TensorType = TensorType.UINT8,
    public val encoding: YuvEncoding = YuvEncoding.BT601_FULL,
) {
    private val tensor = InputTensor(geometry, type)
    private val order = ScanOrder(geometry)
    private val lumaAcross = order.across(subsampling = 1)
    private val chromaAcross = order.across(subsampling = 2)
    private val chromaDown = order.down(subsampling = 2)
    private val yRows = PlaneRows()
    private val uRows = PlaneRows()
    private val vRows = PlaneRows()
    private val y = InterpolatedRow(yRows, lumaAcross, order.down(subsampling = 1))
    private val u = InterpolatedRow(uRows, chromaAcross, chromaDown)
    private val v = InterpolatedRow(vRows, chromaAcross, chromaDown)
    private val colors = FixedPointColors(encoding)

    /** Allocates a direct buffer in native byte order for [convert]. */
    public fun newInput(): ByteBuffer = tensor.newInput()

    /**
     * Writes the model's input, `(height, width, 3)`.
     *
     * @param input filled from its start, and rewound
     * @throws FrameException the frame has another size, or a buffer does not fit
     */
    public fun convert(frame: CameraFrame, input: ByteBuffer) {
        check(frame)
        tensor.check(input)
        start(y, yRows, frame.y)
        start(u, uRows, frame.u)
        start(v, vRows, frame.v)
        var pixel = order.firstPixel
        for (line in 0 until order.lines) {
            y.moveTo(line)
            u.moveTo(line)
            v.moveTo(line)
            colors.write(
                y.samples, u.samples, v.samples, lumaAcross.taps, chromaAcross.taps,
                tensor.pixels, pixel * InputTensor.CHANNELS, order.pixelStep * InputTensor.CHANNELS,
            )
            pixel += order.lineStep
        }
        tensor.writeTo(input)
    }

    private fun start(row: InterpolatedRow, source: PlaneRows, plane: Plane) {
        source.plane = plane
        row.restart()
    }

    private fun check(frame: CameraFrame) {
        if (frame.width != geometry.frameWidth || frame.height != geometry.frameHeight) {
            throw FrameException(
                FrameFault.OTHER_SIZE,
                "The frame has ${frame.width} x ${frame.height} pixels instead of ${geometry.frameWidth} x " +
                    "${geometry.frameHeight}; create a new FrameToInput for it.",
            )
        }
        val chromaWidth = (frame.width + 1) / 2
        val chromaHeight = (frame.height + 1) / 2
        frame.y.check("Y", frame.width, frame.height)
        frame.u.check("U", chromaWidth, chromaHeight)
        frame.v.check("V", chromaWidth, chromaHeight)
    }
}

/** Reads whole rows of a plane: reading a direct buffer byte by byte costs a bounds check per byte. */
private class PlaneRows : RowSource {
    lateinit var plane: Plane
    private var bytes = ByteArray(0)

    override fun read(row: Int, firstColumn: Int, count: Int, into: IntArray) {
        val stride = plane.pixelStride
        val length = (count - 1) * stride + 1
        if (bytes.size < length) bytes = ByteArray(length)
        val buffer = plane.buffer
        val start = buffer.position()
        buffer.moveTo(start + row * plane.rowStride + firstColumn * stride)
        buffer.get(bytes, 0, length)
        buffer.moveTo(start)
        if (stride == 1) spread(count, into) else spread(count, stride, into)
    }

    private fun spread(count: Int, into: IntArray) {
        val bytes = bytes
        for (index in 0 until count) into[index] = bytes[index].toInt() and 0xFF
    }

    private fun spread(count: Int, stride: Int, into: IntArray) {
        val bytes = bytes
        for (index in 0 until count) into[index] = bytes[index * stride].toInt() and 0xFF
    }
}

/**
 * Converts rows of luma and chroma to a line of RGB pixels, in fixed point.
 *
 * Luma has 10 fraction bits and chroma 8, their coefficients 10 and 12, so that all sums have 20 fraction bits and fit
 * in 31 bits.
 */
private class FixedPointColors(encoding: YuvEncoding) {
    private val luma = fixed(encoding.luma, LUMA_FACTOR_BITS)
    private val redOfV = fixed(encoding.redOfV, CHROMA_FACTOR_BITS)
    private val greenOfU = fixed(encoding.greenOfU, CHROMA_FACTOR_BITS)
    private val greenOfV = fixed(encoding.greenOfV, CHROMA_FACTOR_BITS)
    private val blueOfU = fixed(encoding.blueOfU, CHROMA_FACTOR_BITS)
    private val offset = HALF - fixed(encoding.lumaOffset * encoding.luma, SUM_BITS)

    /** @param pixels receives red, green and blue of each tap at [first] and every [step] bytes after it */
    fun write(
        yRow: IntArray,
        uRow: IntArray,
        vRow: IntArray,
        lumaTaps: IntArray,
        chromaTaps: IntArray,
        pixels: ByteArray,
        first: Int,
        step: Int,
    ) {
        val luma = luma
        val redOfV = redOfV
        val greenOfU = greenOfU
        val greenOfV = greenOfV
        val blueOfU = blueOfU
        val offset = offset
        var at = first
        for (index in lumaTaps.indices) {
            val y = (sample(yRow, lumaTaps[index]) + LUMA_ROUNDING shr LUMA_SHIFT) * luma + offset
            val chromaTap = chromaTaps[index]
            val u = sample(uRow, chromaTap) + CHROMA_ROUNDING shr CHROMA_SHIFT
            val v = sample(vRow, chromaTap) + CHROMA_ROUNDING shr CHROMA_SHIFT
            pixels[at] = clamp(y + redOfV * v shr SUM_BITS)
            pixels[at + 1] = clamp(y + greenOfU * u + greenOfV * v shr SUM_BITS)
            pixels[at + 2] = clamp(y + blueOfU * u shr SUM_BITS)
            at += step
        }
    }

    private companion object {
        const val ROW_BITS = 2 * ResamplingAxis.FRACTION_BITS
        const val SUM_BITS = 20
        const val HALF = 1 shl SUM_BITS - 1
        const val LUMA_FACTOR_BITS = 10
        const val CHROMA_FACTOR_BITS = 12
        const val LUMA_SHIFT = ROW_BITS - (SUM_BITS - LUMA_FACTOR_BITS)
        const val CHROMA_SHIFT = ROW_BITS - (SUM_BITS - CHROMA_FACTOR_BITS)
        const val LUMA_ROUNDING = 1 shl LUMA_SHIFT - 1

        // Chroma is centred at 128.
        const val CHROMA_ROUNDING = (1 shl CHROMA_SHIFT - 1) - (128 shl ROW_BITS)

        fun fixed(value: Double, bits: Int): Int = (value * (1 shl bits)).roundToInt()

        fun sample(row: IntArray, tap: Int): Int {
            val index = tap ushr ResamplingAxis.FRACTION_BITS
            val weight = tap and ResamplingAxis.FRACTION_MASK
            return row[index] * (ResamplingAxis.ONE - weight) + row[index + 1] * weight
        }

        fun clamp(value: Int): Byte = maxOf(0, minOf(255, value)).toByte()
    }
}
