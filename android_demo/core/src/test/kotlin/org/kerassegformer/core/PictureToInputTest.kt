package org.kerassegformer.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class PictureToInputTest {
    private val golden = GoldenData("frames")

    @Test
    fun matchesTheReferenceForEveryRotationAndFraming() {
        for (case in golden.cases("pictures")) {
            val converter = PictureToInput(case.geometry())
            val input = converter.newInput()
            converter.convert(golden.words(case.getValue("pixels")), input)
            assertClose("$case", golden.bytes(case.getValue("expected")), input.bytes())
        }
    }

    @Test
    fun givesTheSamePixelsAsFloats() {
        for (case in golden.cases("pictures")) {
            val pixels = golden.words(case.getValue("pixels"))
            val bytes = PictureToInput(case.geometry())
            val floats = PictureToInput(case.geometry(), TensorType.FLOAT32)
            val expected = bytes.newInput().also { bytes.convert(pixels, it) }
            val actual = floats.newInput().also { floats.convert(pixels, it) }
            assertArrayEquals("$case", expected.bytes(), actual.floatsAsBytes())
        }
    }

    @Test
    fun unscaledPixelsAreUnchanged() {
        val random = java.util.Random(1)
        val pixels = IntArray(12) { random.nextInt() or (0xFF shl 24) }
        val converter = PictureToInput(FrameGeometry(4, 3, 4, 3))
        val input = converter.newInput()
        converter.convert(pixels, input)
        val expected = pixels.flatMap { listOf(it shr 16, it shr 8, it) }.map { it.toByte() }.toByteArray()
        assertArrayEquals(expected, input.bytes())
    }

    @Test
    fun invalidImagesAreErrors() {
        val converter = PictureToInput(FrameGeometry(4, 3, 4, 3))
        val short = assertThrows(FrameException::class.java) { converter.convert(IntArray(11), converter.newInput()) }
        assertEquals(FrameFault.BUFFER_TOO_SMALL, short.fault)
    }

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
