package org.kerassegformer.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.nio.IntBuffer
import kotlin.math.abs

/**
 * Decodes the model's output, labels or logits, into a label map. Allocates nothing per frame. Not thread-safe.
 *
 * @param output direct buffer in native byte order of at least `spec.byteCount` bytes, see [newOutput]
 * @throws LabelException [LabelFault.OTHER_SIZE]: the buffer is too small
 */
public class LabelReader(public val spec: OutputSpec, output: ByteBuffer) {
    private val integers: IntBuffer
    private val floats: FloatBuffer
    private val row = FloatArray(if (spec.kind == OutputKind.LOGITS) spec.width * spec.channels else 0)

    init {
        if (output.capacity() < spec.byteCount) {
            throw LabelException(
                LabelFault.OTHER_SIZE,
                "The output buffer has ${output.capacity()} bytes instead of ${spec.byteCount}; create it with " +
                    "newOutput().",
            )
        }
        val whole = output.duplicate().order(ByteOrder.nativeOrder()).also { it.toStart() }
        integers = whole.asIntBuffer()
        floats = whole.asFloatBuffer()
    }

    /**
     * Reads the labels of the whole output.
     *
     * @param leastMargin least difference between the two largest logits of a label; 0 for any. Of outputs without
     *   logits, all labels count as sure
     * @param unsure label of places below it
     * @throws LabelException [LabelFault.OTHER_SIZE]: the map has another size than the output
     */
    public fun read(map: LabelMap, leastMargin: Float = 0f, unsure: Int = UNSURE) {
        map.checkSize(spec.width, spec.height)
        if (spec.kind == OutputKind.LOGITS) readLogits(map, leastMargin, unsure) else readLabels(map)
    }

    private fun readLabels(map: LabelMap) {
        integers.toStart()
        integers.get(map.labels)
    }

    private fun readLogits(map: LabelMap, leastMargin: Float, unsure: Int) {
        floats.toStart()
        for (y in 0 until spec.height) {
            floats.get(row)
            for (x in 0 until spec.width) {
                val label = largest(x * spec.channels)
                val isSure = leastMargin <= 0 || margin(x * spec.channels, label) >= leastMargin
                map.labels[y * spec.width + x] = if (isSure) label else unsure
            }
        }
    }

    /** Argmax; a single logit is that of the second of two classes. */
    private fun largest(first: Int): Int {
        if (spec.channels == 1) return if (row[first] > 0) 1 else 0
        var best = 0
        for (channel in 1 until spec.channels) if (row[first + channel] > row[first + best]) best = channel
        return best
    }

    /** Difference between the logits of a label and of the next likely class: the logarithm of their odds. */
    private fun margin(first: Int, label: Int): Float {
        // A single logit is compared with 0.
        if (spec.channels == 1) return abs(row[first])
        var next = Float.NEGATIVE_INFINITY
        for (channel in 0 until spec.channels) {
            if (channel != label && row[first + channel] > next) next = row[first + channel]
        }
        return row[first + label] - next
    }

    public companion object {
        /** A label of no class. */
        public const val UNSURE: Int = -1

        /** Allocates a direct buffer in native byte order for a model's output. */
        public fun newOutput(spec: OutputSpec): ByteBuffer =
            ByteBuffer.allocateDirect(spec.byteCount).order(ByteOrder.nativeOrder())
    }
}
