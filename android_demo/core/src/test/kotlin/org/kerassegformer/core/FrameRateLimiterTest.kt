package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

class FrameRateLimiterTest {
    private val rateLimiter = FrameRateLimiter()

    /** Number of frames processed in ten seconds at 30 fps with jitter. */
    private fun processed(status: ThermalStatus): Int {
        rateLimiter.status = status
        val start = 1_000_000_000_000 * status.ordinal
        return (0 until 300).count { rateLimiter.admits(start + it * 33_333_333L + it % 3 * 900_000) }
    }

    @Test
    fun coolDevicesProcessEveryFrame() {
        for (status in listOf(ThermalStatus.NONE, ThermalStatus.LIGHT, ThermalStatus.MODERATE)) {
            assertEquals(300, processed(status))
            assertNull(rateLimiter.maxFps)
        }
    }

    @Test
    fun fasterCamerasAreCapped() {
        val seconds = 10
        val processed = (0 until 120 * seconds).count { rateLimiter.admits(it * 8_333_333L) }
        assertTrue("$processed", processed in 29 * seconds..40 * seconds)
    }

    @Test
    fun hotDevicesAreThrottled() {
        for ((status, fps) in listOf(ThermalStatus.SEVERE to 5, ThermalStatus.CRITICAL to 1)) {
            assertEquals("$status", 10 * fps, processed(status))
            assertEquals(fps, rateLimiter.maxFps)
        }
    }

    @Test
    fun overheatedDevicesProcessNoFrames() {
        assertEquals(0, processed(ThermalStatus.EMERGENCY))
        assertEquals(0, rateLimiter.maxFps)
    }

    @Test
    fun aClockThatJumpsBackDoesNotBlock() {
        rateLimiter.status = ThermalStatus.CRITICAL
        assertTrue(rateLimiter.admits(9_000_000_000))
        assertTrue(rateLimiter.admits(5))
    }

    @Test
    fun androidsNumbers() {
        assertEquals(ThermalStatus.SEVERE, ThermalStatus.of(3))
        assertEquals(ThermalStatus.NONE, ThermalStatus.of(-1))
        assertEquals(ThermalStatus.SHUTDOWN, ThermalStatus.of(99))
    }
}
