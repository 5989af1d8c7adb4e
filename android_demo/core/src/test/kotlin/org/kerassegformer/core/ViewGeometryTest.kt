package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class ViewGeometryTest {
    private val frame = FrameGeometry(640, 480, 512, 512, Rotation.CLOCKWISE_90)

    @Test
    fun theImageIsCroppedOrFitted() {
        // Upright 480 x 640.
        assertEquals(Box(-120.0, 0.0, 1080.0, 1600.0), ViewGeometry(frame, 960, 1600, Framing.CROP).picture)
        assertEquals(Box(0.0, 160.0, 960.0, 1440.0), ViewGeometry(frame, 960, 1600, Framing.FIT).picture)
    }

    @Test
    fun theTensorCoversItsSource() {
        // A centred square of 480, scaled by 2.
        assertEquals(Box(0.0, 320.0, 960.0, 1280.0), ViewGeometry(frame, 960, 1600, Framing.FIT).tensor)
        val withBars = frame.copy(framing = Framing.FIT)
        assertEquals(Box(-160.0, 160.0, 1120.0, 1440.0), ViewGeometry(withBars, 960, 1600, Framing.FIT).tensor)
    }

    @Test
    fun pointsRoundTrip() {
        for (shown in Framing.entries) for (seen in Framing.entries) {
            val view = ViewGeometry(frame.copy(framing = seen, mirror = true), 333, 777, shown)
            val back = view.toView(view.toTensor(Point(100.5, 200.25)))
            assertEquals(100.5, back.x, 1e-9)
            assertEquals(200.25, back.y, 1e-9)
        }
    }

    @Test
    fun aTapFindsItsLabel() {
        val view = ViewGeometry(frame, 960, 1600, Framing.FIT)
        assertEquals(0, view.labelIndex(0.0, 320.0, 128, 128))
        assertEquals(127, view.labelIndex(959.9, 320.1, 128, 128))
        assertEquals(128 * 128 - 1, view.labelIndex(959.9, 1279.9, 128, 128))
        assertEquals(64 * 128 + 64, view.labelIndex(480.0, 800.0, 128, 128))
    }

    @Test
    fun aTapOutsideFindsNoLabel() {
        val view = ViewGeometry(frame, 960, 1600, Framing.FIT)
        for ((x, y) in listOf(-1.0 to 800.0, 960.0 to 800.0, 480.0 to 319.0, 480.0 to 1281.0, Double.NaN to 800.0)) {
            assertEquals("$x, $y", -1, view.labelIndex(x, y, 128, 128))
        }
        val withBars = ViewGeometry(frame.copy(framing = Framing.FIT), 960, 1600, Framing.FIT)
        assertEquals(-1, withBars.labelIndex(480.0, 159.0, 128, 128))
    }

    @Test
    fun anEmptyViewIsAnError() {
        assertThrows(FrameException::class.java) { ViewGeometry(frame, 0, 5, Framing.FIT) }
    }
}
