package org.kerassegformer.core

import kotlin.math.roundToInt

/**
 * Bilinear interpolation along one axis: the two source samples and the weight of each output position, in fixed point.
 *
 * A tap packs the index of the first sample, relative to [low], above [FRACTION_BITS] bits with the weight of the next
 * sample. The sample after the last one has weight 0 and may be out of range.
 */
internal class ResamplingAxis private constructor(val taps: IntArray, val low: Int, val high: Int) {
    /** Number of samples from [low] to [high]. */
    val samples: Int get() = high - low + 1

    /** Index of the first sample of a position, relative to the plane. */
    fun sample(position: Int): Int = low + (taps[position] ushr FRACTION_BITS)

    /** Weight of the next sample, 0 to [ONE]. */
    fun weight(position: Int): Int = taps[position] and FRACTION_MASK

    companion object {
        const val FRACTION_BITS = 11
        const val ONE = 1 shl FRACTION_BITS
        const val FRACTION_MASK = ONE - 1

        /**
         * @param count number of output positions
         * @param start start of the output, in samples: the centre of the first sample is at 0.5
         * @param end end of the output, in samples; less than [start] to flip the axis
         * @param samples number of samples; the edge samples are replicated
         */
        fun of(count: Int, start: Double, end: Double, samples: Int): ResamplingAxis {
            val places = IntArray(count) {
                val place = start + (it + 0.5) * (end - start) / count - 0.5
                (place.coerceIn(0.0, samples - 1.0) * ONE).roundToInt()
            }
            val low = places.min() ushr FRACTION_BITS
            val high = minOf((places.max() ushr FRACTION_BITS) + 1, samples - 1)
            return ResamplingAxis(IntArray(count) { places[it] - (low shl FRACTION_BITS) }, low, high)
        }
    }
}
