package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class LatencyStatsTest {
    private val stats = LatencyStats(window = 10)

    @Test
    fun percentilesMatchNumpy() {
        // numpy.percentile(numpy.arange(1, 11), (50, 90)) is 5.5 and 9.1.
        for (millis in 10 downTo 1) stats.record(Phase.INFERENCE, millis * 1_000_000L)
        val timing = checkNotNull(stats.timing(Phase.INFERENCE))
        assertEquals(5.5, timing.p50, 1e-9)
        assertEquals(9.1, timing.p90, 1e-9)
        assertEquals(10, timing.count)
    }

    @Test
    fun phasesAreSeparateAndOldFramesDropOut() {
        repeat(30) { stats.record(Phase.INPUT, 5_000_000) }
        repeat(10) { stats.record(Phase.INPUT, 7_000_000) }
        assertEquals(Timing(7.0, 7.0, 10), stats.timing(Phase.INPUT))
        assertNull(stats.timing(Phase.DRAW))
    }

    @Test
    fun aSummaryHasWhatWasRecordedAndDoesNotChange() {
        assertEquals(LatencySummary(), stats.summary())
        repeat(10) { stats.record(Phase.OUTPUT, 3_000_000) }
        for (frame in 0..1) stats.frameShown(frame * 50_000_000L)
        val summary = stats.summary()
        stats.reset()
        assertEquals(LatencySummary(mapOf(Phase.OUTPUT to Timing(3.0, 3.0, 10)), 20.0), summary)
    }

    @Test
    fun framesPerSecond() {
        assertEquals(0.0, stats.fps, 0.0)
        for (frame in 0..20) stats.frameShown(7_000_000_000 + frame * 50_000_000L)
        assertEquals(20.0, stats.fps, 1e-9)
        stats.reset()
        stats.frameShown(5)
        stats.frameShown(5)
        assertEquals(0.0, stats.fps, 0.0)
        assertNull(stats.timing(Phase.INPUT))
    }
}
