package org.kerassegformer.demo.camera

import android.graphics.Rect
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
internal class CameraViewTest {
    private val sensor = Rect(0, 0, 4000, 3000)
    private val view = CameraView(sensor, mostZoom = 4f, canFocus = true, canExpose = true)

    @Test
    fun `zoom shows the centre of the sensor`() {
        assertEquals(sensor, view.crop())
        view.zoom = 2f
        assertEquals(Rect(1000, 750, 3000, 2250), view.crop())
        view.zoom = 99f
        assertEquals(Rect(1500, 1125, 2500, 1875), view.crop())
    }

    @Test
    fun `the area in focus lies in the visible part`() {
        assertNull(view.focusArea())
        assertTrue(view.focusAt(.5f, .25f))
        assertEquals(Rect(1775, 525, 2225, 975), view.focusArea())
        view.zoom = 2f
        assertTrue(view.focusAt(1f, 0f))
        assertEquals(Rect(2774, 750, 3000, 976), view.focusArea())
        view.releaseFocus()
        assertNull(view.focusArea())
    }

    @Test
    fun `a camera with a fixed focus ignores taps`() {
        assertFalse(CameraView(sensor, 1f, canFocus = false, canExpose = false).focusAt(.5f, .5f))
        assertFalse(CameraView(null, 1f, canFocus = true, canExpose = true).focusAt(.5f, .5f))
    }
}
