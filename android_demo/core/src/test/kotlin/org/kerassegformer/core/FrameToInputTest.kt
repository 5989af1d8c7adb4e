package org.kerassegformer.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs
import kotlinx.serialization.json.JsonObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class FrameToInputTest {
    private val golden = GoldenData("frames")

    @Test
    fun matchesTheReferenceForEveryLayoutRotationAndFraming() {
        val cases = golden.cases("frames")
        assertEquals(setOf("planar", "padded", "interleaved", "sparse"), cases.map { it.text("layout") }.toSet())
        for (case in cases) {
            val converter = FrameToInput(case.geometry(), encoding = YuvEncoding.valueOf(case.text("encoding")))
            val frame = frameOf(case)
            val input = converter.newInput()
            converter.convert(frame, input)
            assertClose("$case", golden.bytes(case.getValue("expected")), input.bytes())
            assertEquals("planes keep their position", 3, frame.y.buffer.position())
        }
    }

    @Test
    fun givesTheSamePixelsAsFloats() {
        for (case in golden.cases("frames")) {
            val encoding = YuvEncoding.valueOf(case.text("encoding"))
            val bytes = FrameToInput(case.geometry(), TensorType.UINT8, encoding)
            val floats = FrameToInput(case.geometry(), TensorType.FLOAT32, encoding)
            val expected = bytes.newInput().also { bytes.convert(frameOf(case), it) }
            val actual = floats.newInput().also { floats.convert(frameOf(case), it) }
            assertArrayEquals("$case", expected.bytes(), actual.floatsAsBytes())
        }
    }

    @Test
    fun aConverterKeepsNoStateBetweenFrames() {
        val geometry = FrameGeometry(16, 12, 20, 20, Rotation.CLOCKWISE_90, mirror = true)
        val converter = FrameToInput(geometry)
        val input = converter.newInput()
        for (luma in listOf(0, 255, 77)) {
            converter.convert(TestFrames.gray(16, 12, luma), input)
            assertTrue(input.bytes().all { it.toInt() and 0xFF == luma })
        }
    }

    @Test
    fun paddingHasItsColour() {
        val converter = FrameToInput(FrameGeometry(16, 8, 8, 8, framing = Framing.FIT))
        val input = converter.newInput()
        converter.convert(TestFrames.gray(16, 8, 200), input)
        val pixels = input.bytes().map { it.toInt() and 0xFF }.chunked(3)
        assertEquals(List(16) { FrameGeometry.PADDING }, pixels.take(16))
        assertEquals(List(32) { listOf(200, 200, 200) }, pixels.subList(16, 48))
        assertEquals(List(16) { FrameGeometry.PADDING }, pixels.takeLast(16))
    }

    @Test
    fun invalidFramesAreErrors() {
        val converter = FrameToInput(FrameGeometry(16, 12, 8, 8))
        val input = converter.newInput()
        fun faultOf(frame: CameraFrame, into: ByteBuffer = input): FrameFault =
            assertThrows(FrameException::class.java) { converter.convert(frame, into) }.fault
        val good = TestFrames.gray(16, 12, 1)
        assertEquals(FrameFault.OTHER_SIZE, faultOf(TestFrames.gray(12, 16, 1)))
        assertEquals(FrameFault.BUFFER_TOO_SMALL, faultOf(good.with(y = Plane(ByteBuffer.allocate(191), 16, 1))))
        assertEquals(FrameFault.BUFFER_TOO_SMALL, faultOf(good.with(y = Plane(ByteBuffer.allocate(9999), 1 shl 30, 1))))
        assertEquals(FrameFault.BAD_SHAPE, faultOf(good.with(y = Plane(ByteBuffer.allocate(999), 15, 1))))
        assertEquals(FrameFault.BAD_SHAPE, faultOf(good.with(y = Plane(ByteBuffer.allocate(999), 16, 0))))
        assertEquals(FrameFault.BAD_SHAPE, faultOf(good.with(y = Plane(ByteBuffer.allocate(999), -16, -1))))
        assertEquals(FrameFault.BUFFER_TOO_SMALL, faultOf(good, ByteBuffer.allocateDirect(191)))
        assertEquals(FrameFault.BAD_BUFFER, faultOf(good, ByteBuffer.allocate(192).order(ByteOrder.nativeOrder())))
        assertEquals(FrameFault.BAD_BUFFER, faultOf(good, input.asReadOnlyBuffer()))
        val foreign = listOf(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN).single { it != ByteOrder.nativeOrder() }
        assertEquals(FrameFault.BAD_BUFFER, faultOf(good, ByteBuffer.allocateDirect(192).order(foreign)))
    }

    @Test
    fun unsupportedTypesAreErrors() {
        assertThrows(FrameException::class.java) { FrameToInput(FrameGeometry(4, 4, 4, 4), TensorType.INT32) }
    }

    private fun frameOf(case: JsonObject): CameraFrame {
        val geometry = case.geometry()
        val (y, u, v) = listOf("y", "u", "v").map { golden.plane(case.getValue(it)) }
        return CameraFrame(geometry.frameWidth, geometry.frameHeight, y, u, v)
    }

    private fun CameraFrame.with(y: Plane) = CameraFrame(width, height, y, u, v)
}

/** Every byte within 1 of the other. */
internal fun assertClose(what: String, expected: ByteArray, actual: ByteArray) {
    assertEquals(what, expected.size, actual.size)
    for (index in expected.indices) {
        val difference = abs((expected[index].toInt() and 0xFF) - (actual[index].toInt() and 0xFF))
        assertTrue("$what: byte $index is off by $difference", difference <= 1)
    }
}
