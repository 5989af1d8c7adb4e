package org.kerassegformer.demo.camera

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

internal class FrameSizesTest {
    @Test
    fun `prefers 640x480`() {
        val offered = listOf(4000 to 3000, 1920 to 1080, 1280 to 720, 640 to 480, 320 to 240, 720 to 480)
        assertEquals(640 to 480, FrameSizes.choose(offered))
    }

    @Test
    fun `prefers the aspect ratio of the sensor to the number of pixels`() {
        assertEquals(1600 to 1200, FrameSizes.choose(listOf(1600 to 1200, 640 to 360)))
    }

    @Test
    fun `takes the nearest size if none has that aspect ratio`() {
        assertEquals(720 to 480, FrameSizes.choose(listOf(1920 to 1080, 720 to 480, 176 to 144)))
    }

    @Test
    fun `still images have the size of the sensor`() {
        val offered = listOf(8160 to 6120, 4080 to 3060, 4000 to 3000, 3840 to 2160, 640 to 480)
        assertEquals(4080 to 3060, FrameSizes.chooseStill(offered))
        assertEquals(3840 to 2160, FrameSizes.chooseStill(listOf(3840 to 2160, 1920 to 1080)))
        assertNull(FrameSizes.chooseStill(listOf(8160 to 6120)))
    }

    @Test
    fun `returns null for an empty list`() {
        assertNull(FrameSizes.choose(emptyList()))
    }
}
