package org.kerassegformer.demo.camera

import kotlin.math.abs

/** Selects the frame size of a camera. */
internal object FrameSizes {
    /**
     * Returns the 4:3 size closest to [PIXELS] pixels, or the closest of any aspect ratio if there is no 4:3 size. Most
     * sensors are 4:3; other ratios crop the view.
     *
     * @param offered supported widths and heights, in pixels
     * @return one of them, or null if the list is empty
     */
    fun choose(offered: List<Pair<Int, Int>>): Pair<Int, Int>? {
        val whole = offered.filter { (width, height) -> width * 3 == height * 4 }
        return whole.ifEmpty { offered }.minByOrNull { (width, height) -> abs(width * height - PIXELS) }
    }

    /** Sufficient for a 512x512 model, and supported by every camera. */
    private const val PIXELS = 640 * 480
}
