package org.kerassegformer.demo.ui

import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.engine.Heat

internal class StallWatchTest {
    private val cool = Heat(ThermalStatus.NONE, null)
    private val watch = StallWatch(limitMillis = 100)

    @Test
    fun `labels are overdue after the limit, counted from the first frame without an answer`() {
        watch.submitted(0)
        watch.submitted(90)
        assertFalse(watch.isStalled(100, cool))
        assertTrue(watch.isStalled(101, cool))
    }

    @Test
    fun `an answer ends the wait`() {
        watch.submitted(0)
        watch.answered()
        assertFalse(watch.isStalled(1_000, cool))
        watch.submitted(1_000)
        assertFalse(watch.isStalled(1_100, cool))
    }

    @Test
    fun `nothing is overdue while the heat forbids to compute`() {
        watch.submitted(0)
        assertFalse(watch.isStalled(1_000, Heat(ThermalStatus.CRITICAL, 0)))
        assertTrue(watch.isStalled(1_000, Heat(ThermalStatus.SEVERE, 5)))
    }
}
