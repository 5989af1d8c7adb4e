package org.kerassegformer.demo.camera

import kotlin.math.abs

/** Chooses among the sizes that a camera offers. */
internal object FrameSizes {
    /**
     * The size nearest to [PIXELS] pixels, of 4:3 where that is offered (the shape of most sensors: other shapes cut
     * off part of the view).
     *
     * @param offered widths and heights, in pixels
     * @return one of them, or null where nothing is offered
     */
    fun choose(offered: List<Pair<Int, Int>>): Pair<Int, Int>? {
        val whole = offered.filter { (width, height) -> width * 3 == height * 4 }
        return whole.ifEmpty { offered }.minByOrNull { (width, height) -> abs(width * height - PIXELS) }
    }

    /** More than a model of 512x512 reads, and every camera has it. */
    private const val PIXELS = 640 * 480
}
