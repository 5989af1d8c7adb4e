package org.kerassegformer.demo.camera

import org.kerassegformer.core.FrameRateLimiter
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

    /**
     * Returns the largest 4:3 size for still images, or the largest of any aspect ratio if there is no 4:3 size.
     *
     * @param offered supported widths and heights, in pixels
     * @return one of those with sides of at most [LARGEST_STILL_SIDE], or null if there is none
     */
    fun chooseStill(offered: List<Pair<Int, Int>>): Pair<Int, Int>? {
        val usable = offered.filter { (width, height) -> maxOf(width, height) <= LARGEST_STILL_SIDE }
        val whole = usable.filter { (width, height) -> width * 3 == height * 4 }
        return whole.ifEmpty { usable }.maxByOrNull { (width, height) -> width * height }
    }

    /** 12 megapixels, the binned size of larger sensors. Saving such an image takes about 100 MB of memory. */
    private const val LARGEST_STILL_SIDE = 4096

    /** Sufficient for a 512x512 model, and supported by every camera. */
    private const val PIXELS = 640 * 480
}

/** Selects the frame rates of a camera. */
internal object FrameRates {
    private const val MOST = FrameRateLimiter.COOL_FPS

    /**
     * Returns the range with the highest maximum of at most [FrameRateLimiter.COOL_FPS] frames per second, and of these the one with the
     * lowest minimum, which allows long exposures in the dark.
     *
     * @param offered minimum and maximum of the ranges that the camera supports
     * @return one of them; null for the default of the camera
     */
    fun choose(offered: List<IntRange>): IntRange? = offered.filter { it.last <= MOST }
        .maxWithOrNull(compareBy(IntRange::last).thenByDescending(IntRange::first))
}
