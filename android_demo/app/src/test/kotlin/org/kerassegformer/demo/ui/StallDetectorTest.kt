package org.kerassegformer.demo.ui

import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.engine.TimeLimits

internal class StallDetectorTest {
    private val cool = ThermalState(ThermalStatus.NONE, null)
    private val watch = StallDetector(limitMillis = 100)

    @Test
    fun `labels are overdue after the limit, counted from the first pending frame`() {
        watch.submitted(0)
        watch.submitted(90)
        assertFalse(watch.isStalled(100, cool))
        assertTrue(watch.isStalled(101, cool))
    }

    @Test
    fun `labels end the wait`() {
        watch.submitted(0)
        watch.answered()
        assertFalse(watch.isStalled(1_000, cool))
        watch.submitted(1_000)
        assertFalse(watch.isStalled(1_100, cool))
    }

    @Test
    fun `nothing is overdue while thermal throttling allows no frames`() {
        watch.submitted(0)
        assertFalse(watch.isStalled(1_000, ThermalState(ThermalStatus.CRITICAL, 0)))
        assertTrue(watch.isStalled(1_000, ThermalState(ThermalStatus.SEVERE, 5)))
    }

    @Test
    fun `the engine gives up on a processor first`() {
        assertTrue(StallDetector.LIMIT_MILLIS > TimeLimits().runMillis)
    }
}
