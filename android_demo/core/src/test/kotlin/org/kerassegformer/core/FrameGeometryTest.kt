package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class FrameGeometryTest {
    @Test
    fun cropTakesTheLargestCentredPart() {
        val geometry = FrameGeometry(640, 480, 512, 512)
        assertEquals(Box(80.0, 0.0, 560.0, 480.0), geometry.source)
        assertEquals(Box(0.0, 0.0, 512.0, 512.0), geometry.content)
    }

    @Test
    fun fitAddsPadding() {
        val geometry = FrameGeometry(640, 480, 512, 512, framing = Framing.FIT)
        assertEquals(Box(0.0, 0.0, 640.0, 480.0), geometry.source)
        assertEquals(Box(0.0, 64.0, 512.0, 448.0), geometry.content)
    }

    @Test
    fun aRotationBy90DegreesSwapsTheSides() {
        val geometry = FrameGeometry(640, 480, 256, 512, Rotation.CLOCKWISE_90)
        assertEquals(480 to 640, geometry.uprightWidth to geometry.uprightHeight)
        assertEquals(Box(80.0, 0.0, 400.0, 640.0), geometry.source)
    }

    @Test
    fun pointsRoundTrip() {
        for (framing in Framing.entries) {
            val geometry = FrameGeometry(640, 480, 512, 256, Rotation.CLOCKWISE_270, mirror = true, framing)
            val back = geometry.toUpright(geometry.toTensor(Point(123.0, 321.0)))
            assertEquals(123.0, back.x, 1e-9)
            assertEquals(321.0, back.y, 1e-9)
        }
    }

    @Test
    fun thinImagesKeepAPixel() {
        val content = FrameGeometry(16384, 1, 32, 32, framing = Framing.FIT).content
        assertEquals(32.0 to 1.0, content.width to content.height)
    }

    @Test
    fun rotationsOfAnyMultiple() {
        assertEquals(Rotation.CLOCKWISE_270, Rotation.of(-90))
        assertEquals(Rotation.CLOCKWISE_90, Rotation.of(450))
        assertEquals(FrameFault.BAD_SHAPE, assertThrows(FrameException::class.java) { Rotation.of(45) }.fault)
    }

    @Test
    fun invalidSizesAreErrors() {
        for ((frame, tensor) in listOf(0 to 8, -1 to 8, 16385 to 8, 8 to 0, 8 to 4097)) {
            assertThrows(FrameException::class.java) { FrameGeometry(frame, 8, 8, tensor) }
            assertThrows(FrameException::class.java) { FrameGeometry(8, frame, tensor, 8) }
        }
    }
}
