package org.kerassegformer.demo.camera

import org.kerassegformer.core.FrameRateLimiter

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
