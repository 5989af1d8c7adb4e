package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class FrameGovernorTest {
    private val governor = FrameGovernor()

    /** Frames computed of ten seconds at 30 per second, some of them late. */
    private fun computed(status: ThermalStatus): Int {
        governor.status = status
        val start = 1_000_000_000_000 * status.ordinal
        return (0 until 300).count { governor.admits(start + it * 33_333_333L + it % 3 * 900_000) }
    }

    @Test
    fun coolDevicesComputeEveryFrame() {
        for (status in listOf(ThermalStatus.NONE, ThermalStatus.LIGHT, ThermalStatus.MODERATE)) {
            assertEquals(300, computed(status))
            assertNull(governor.maxFps)
        }
    }

    @Test
    fun hotDevicesComputeFewerAndSaySo() {
        for ((status, fps) in listOf(ThermalStatus.SEVERE to 5, ThermalStatus.CRITICAL to 1)) {
            assertEquals("$status", 10 * fps, computed(status))
            assertEquals(fps, governor.maxFps)
        }
    }

    @Test
    fun veryHotDevicesRest() {
        assertEquals(0, computed(ThermalStatus.EMERGENCY))
        assertEquals(0, governor.maxFps)
    }

    @Test
    fun aClockThatStartsAnewStopsNothing() {
        governor.status = ThermalStatus.CRITICAL
        assertTrue(governor.admits(9_000_000_000))
        assertTrue(governor.admits(5))
    }

    @Test
    fun androidsNumbers() {
        assertEquals(ThermalStatus.SEVERE, ThermalStatus.of(3))
        assertEquals(ThermalStatus.NONE, ThermalStatus.of(-1))
        assertEquals(ThermalStatus.SHUTDOWN, ThermalStatus.of(99))
    }
}
