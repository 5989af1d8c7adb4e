package org.kerassegformer.demo.camera

import org.junit.Assert.assertEquals
import org.junit.Test

internal class FrameClockTest {
    private val clock = FrameClock { 10_000_000_000 }

    @Test
    fun `measures the age from the timestamp`() = assertEquals(30_000_000L, clock.ageNanos(9_970_000_000))

    @Test
    fun `ignores timestamps in the future or of another clock`() {
        assertEquals(0L, clock.ageNanos(10_000_000_001))
        assertEquals(0L, clock.ageNanos(1_000_000_000))
    }
}
