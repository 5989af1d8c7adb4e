package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class PictureSamplingTest {
    @Test
    fun subsamplesByPowersOfTwo() {
        assertEquals(1, PictureSampling.sampleSize(1023, 4000, 512, 512))
        assertEquals(2, PictureSampling.sampleSize(1024, 4000, 512, 512))
        assertEquals(4, PictureSampling.sampleSize(4000, 3000, 512, 512))
        assertEquals(1, PictureSampling.sampleSize(10, 10, 512, 512))
    }

    @Test
    fun invalidSizesAreErrors() {
        assertThrows(FrameException::class.java) { PictureSampling.sampleSize(-1, 10, 512, 512) }
        assertThrows(FrameException::class.java) { PictureSampling.sampleSize(10, 10, 0, 512) }
    }
}
