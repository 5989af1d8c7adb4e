package org.kerassegformer.core

/** Gives the samples of a row as numbers 0..255. */
internal fun interface RowSource {
    fun read(row: Int, firstColumn: Int, count: Int, into: IntArray)
}

/**
 * The samples between two rows, at the height of a line of output pixels.
 *
 * Keeps the two rows, since the next line mostly lies between the same ones, so that each is read once.
 *
 * @param across which columns are needed
 * @param down between which rows a line lies
 */
internal class BlendedRow(private val source: RowSource, private val across: Axis, private val down: Axis) {
    // One more than is read, for the neighbour of the last sample, whose weight is 0.
    private var upper = IntArray(across.samples + 1)
    private var lower = IntArray(across.samples + 1)
    private var upperRow = NONE
    private var lowerRow = NONE

    /** On the scale 0..255 times [Axis.ONE]. */
    val samples: IntArray = IntArray(across.samples + 1)

    /** Forgets the rows of the frame before. */
    fun restart() {
        upperRow = NONE
        lowerRow = NONE
    }

    /** Fills [samples] for a line. */
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
            val rest = Axis.ONE - weight
            for (index in into.indices) into[index] = upper[index] * rest + lower[index] * weight
        }
    }
}
