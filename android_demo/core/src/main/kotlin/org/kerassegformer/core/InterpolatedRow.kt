package org.kerassegformer.core

/** Reads the samples of a row, 0..255. */
internal fun interface RowSource {
    fun read(row: Int, firstColumn: Int, count: Int, into: IntArray)
}

/**
 * Vertical half of the bilinear interpolation: blends two source rows for an output line.
 *
 * Caches both rows, as consecutive lines mostly fall between the same ones, so that each row is read once.
 *
 * @param across horizontal axis: which columns are needed
 * @param down vertical axis: which two rows a line falls between
 */
internal class InterpolatedRow(
    private val source: RowSource,
    private val across: ResamplingAxis,
    private val down: ResamplingAxis,
) {
    // One extra element for the sample after the last one, whose weight is 0.
    private var upper = IntArray(across.samples + 1)
    private var lower = IntArray(across.samples + 1)
    private var upperRow = NONE
    private var lowerRow = NONE

    /** Blended samples, 0..255 times [ResamplingAxis.ONE]. */
    val samples: IntArray = IntArray(across.samples + 1)

    /** Invalidates the cached rows, for the next frame. */
    fun restart() {
        upperRow = NONE
        lowerRow = NONE
    }

    /** Fills [samples] for an output line. */
    fun moveTo(line: Int) {
        val row = down.sample(line)
        load(row, minOf(row + 1, down.high))
        blend(upper, lower, down.weight(line), samples)
    }

    private fun load(first: Int, second: Int) {
        if (upperRow != first && (lowerRow == first || upperRow == second)) swap()
        if (upperRow != first) {
            source.read(first, across.low, across.samples, upper)
            upperRow = first
        }
        if (lowerRow != second) {
            source.read(second, across.low, across.samples, lower)
            lowerRow = second
        }
    }

    private fun swap() {
        val rowBefore = upperRow
        val before = upper
        upperRow = lowerRow
        upper = lower
        lowerRow = rowBefore
        lower = before
    }

    private companion object {
        const val NONE = -1

        fun blend(upper: IntArray, lower: IntArray, weight: Int, into: IntArray) {
            val rest = ResamplingAxis.ONE - weight
            for (index in into.indices) into[index] = upper[index] * rest + lower[index] * weight
        }
    }
}
