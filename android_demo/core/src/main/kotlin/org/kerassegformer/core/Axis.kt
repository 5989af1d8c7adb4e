package org.kerassegformer.core

import kotlin.math.roundToInt

/**
 * Between which two samples each position of an output axis lies, in fixed point.
 *
 * A tap holds the number of the first sample, counted from [low], above [FRACTION_BITS] bits of the weight of the next
 * one. The next one of the last sample has weight 0 and may lie outside.
 */
internal class Axis private constructor(val taps: IntArray, val low: Int, val high: Int) {
    /** Samples from [low] to [high]. */
    val samples: Int get() = high - low + 1

    /** Number of the sample, counted from the first of the plane. */
    fun sample(position: Int): Int = low + (taps[position] ushr FRACTION_BITS)

    /** Weight of the next sample, of [ONE]. */
    fun weight(position: Int): Int = taps[position] and FRACTION_MASK

    companion object {
        const val FRACTION_BITS = 11
        const val ONE = 1 shl FRACTION_BITS
        const val FRACTION_MASK = ONE - 1

        /**
         * @param count positions of the output
         * @param start where the output starts, and
         * @param end ends, in samples: the centre of the first sample lies at 0.5; swapped, the axis runs backwards
         * @param samples number of samples; beyond the first and the last one goes on for ever
         */
        fun of(count: Int, start: Double, end: Double, samples: Int): Axis {
            val places = IntArray(count) {
                val place = start + (it + 0.5) * (end - start) / count - 0.5
                (place.coerceIn(0.0, samples - 1.0) * ONE).roundToInt()
            }
            val low = places.min() ushr FRACTION_BITS
            val high = minOf((places.max() ushr FRACTION_BITS) + 1, samples - 1)
            return Axis(IntArray(count) { places[it] - (low shl FRACTION_BITS) }, low, high)
        }
    }
}
