package org.kerassegformer.demo.camera

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

internal class CameraGateTest {
    private val events = ArrayList<String>()
    private val scheduled = ArrayList<() -> Unit>()
    private val gate = CameraGate { millis, action ->
        assertEquals(CameraGate.LONGEST_CLOSE_MILLIS, millis)
        scheduled += action
    }

    private fun enter(camera: String) = gate.enter(camera) { events += camera }

    @Test
    fun `the next camera waits until the previous one has closed`() {
        enter("back")
        enter("front")
        gate.closing("back")
        assertEquals(listOf("back"), events)
        gate.leave("back")
        assertEquals(listOf("back", "front"), events)
    }

    @Test
    fun `only the last of several cameras is opened`() {
        enter("back")
        gate.closing("back")
        enter("front")
        gate.closing("front")
        enter("back again")
        gate.leave("back")
        assertEquals(listOf("back", "back again"), events)
    }

    @Test
    fun `a driver that does not report the end blocks for a limited time`() {
        enter("back")
        gate.closing("back")
        enter("front")
        scheduled.single()()
        assertEquals(listOf("back", "front"), events)
        gate.leave("back")
        enter("third")
        assertEquals("the camera inside has not left", listOf("back", "front"), events)
    }

    @Test
    fun `reports when it is empty`() {
        enter("back")
        gate.whenEmpty { events += "empty" }
        gate.closing("back")
        assertFalse("empty" in events)
        gate.leave("back")
        assertEquals(listOf("back", "empty"), events)
        gate.whenEmpty { events += "still empty" }
        assertEquals("still empty", events.last())
    }

    @Test
    fun `only the camera that was in use counts as available again`() {
        val availability = CameraAvailability("0")
        assertFalse("registering reports all cameras", availability.onAvailable("0"))
        assertFalse(availability.onAvailable("1"))
        availability.onUnavailable("1")
        assertFalse(availability.onAvailable("1"))
        availability.onUnavailable("0")
        assertFalse("another camera", availability.onAvailable("1"))
        assertTrue(availability.onAvailable("0"))
        assertFalse(availability.onAvailable("0"))
    }

    @Test
    fun `frame rates are capped`() {
        assertEquals(7..30, FrameRates.choose(listOf(15..15, 30..30, 7..30, 30..60, 60..60)))
        assertEquals(15..24, FrameRates.choose(listOf(15..24, 24..24, 15..15)))
        assertNull(FrameRates.choose(listOf(60..60)))
        assertNull(FrameRates.choose(emptyList()))
    }
}
