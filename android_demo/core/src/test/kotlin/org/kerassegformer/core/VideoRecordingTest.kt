package org.kerassegformer.core

import java.nio.ByteBuffer
import kotlin.math.abs
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

class VideoRecordingTest {
    private val ends = ArrayList<RecordingEnd>()
    private val encoder = FakeEncoder()
    private val file = FakeFile()
    private val recording = VideoRecording(encoder, file, reserveBytes = 1_000, ends::add)

    /** Holds back two frames, as encoders do. */
    private class FakeEncoder : VideoEncoder<String, String> {
        val waiting = ArrayDeque<Long>()
        var isBusy = false
        var failsAt = Int.MAX_VALUE
        var taken = 0
        var closed = 0
        var formats = 1

        override fun encode(picture: String, micros: Long): Boolean {
            check(taken < failsAt) { "the encoder broke" }
            if (isBusy) return false
            taken++
            waiting += micros
            return true
        }

        override fun drain(atEnd: Boolean, receive: (EncodedPart<String>) -> Unit) {
            if (formats > 0 && waiting.isNotEmpty()) receive(EncodedPart.Format("avc")).also { formats-- }
            while (waiting.size > if (atEnd) 0 else 2) {
                receive(EncodedPart.Sample(ByteBuffer.allocate(8), waiting.removeFirst(), isKey = false))
            }
        }

        override fun close() {
            closed++
        }
    }

    private class FakeFile : VideoFile<String> {
        override var freeBytes = 1_000_000L
        val times = ArrayList<Long>()
        var format: String? = null
        var failsAt = Int.MAX_VALUE
        var finished = false
        var closed = 0
        var removed = false

        override fun start(format: String) {
            this.format = format
        }

        override fun write(sample: EncodedPart.Sample) {
            check(times.size < failsAt) { "no space left on device" }
            times += sample.micros
        }

        override fun finish() {
            finished = true
        }

        override fun close() {
            closed++
        }

        override fun remove() {
            assertEquals("closed before it is removed", 1, closed)
            removed = true
        }
    }

    private fun add(vararg millis: Long) = millis.forEach { recording.add("frame", it * 1_000_000) }

    @Test
    fun timesStartAtZeroAndRise() {
        add(5_000, 5_040, 5_040, 5_030, 5_100)
        recording.stop()
        assertEquals(listOf(0L, 40_000L, 100_000L), file.times)
        assertEquals(100_000L, recording.micros)
        assertEquals("avc", file.format)
        assertEquals(listOf(RecordingEnd.COMPLETE), ends)
        assertTrue(file.finished)
        assertFalse(file.removed)
        assertEquals(listOf(1, 1), listOf(encoder.closed, file.closed))
    }

    @Test
    fun framesAreDroppedWhileTheEncoderIsBusy() {
        add(0, 40)
        encoder.isBusy = true
        add(80, 120)
        encoder.isBusy = false
        add(160)
        recording.stop()
        assertEquals(listOf(0L, 40_000L, 160_000L), file.times)
    }

    @Test
    fun nothingHappensAfterTheEnd() {
        add(0, 40)
        recording.stop()
        add(80)
        recording.stop()
        assertEquals(listOf(RecordingEnd.COMPLETE), ends)
        assertEquals(2, encoder.taken)
        assertFalse(recording.isRunning)
    }

    @Test
    fun aRecordingWithoutFramesLeavesNoFile() {
        recording.stop()
        assertEquals(listOf(RecordingEnd.EMPTY), ends)
        assertTrue(file.removed)
        assertFalse(file.finished)
    }

    @Test
    fun theFileIsCompletedBeforeTheStorageIsFull() {
        add(0, 40, 80)
        file.freeBytes = 999
        add(120)
        assertEquals(listOf(RecordingEnd.COMPLETE_FULL), ends)
        assertEquals(listOf(0L, 40_000L, 80_000L), file.times)
        assertTrue(file.finished)
        assertFalse(file.removed)
    }

    @Test
    fun withoutSpaceFromTheStartThereIsNoFile() {
        file.freeBytes = 0
        add(0)
        assertEquals(listOf(RecordingEnd.EMPTY), ends)
        assertTrue(file.removed)
    }

    @Test
    fun aFullDiskRemovesTheFile() {
        file.failsAt = 1
        add(0, 40, 80, 120)
        assertEquals(listOf(RecordingEnd.FAILED), ends)
        assertEquals("no space left on device", recording.error?.message)
        assertTrue(file.removed)
        assertEquals(listOf(1, 1), listOf(encoder.closed, file.closed))
    }

    @Test
    fun aFullDiskAtTheEndRemovesTheFileToo() {
        file.failsAt = 1
        add(0, 40)
        recording.stop()
        assertEquals(listOf(RecordingEnd.FAILED), ends)
        assertTrue(file.removed)
    }

    @Test
    fun aBrokenEncoderEndsTheRecording() {
        encoder.failsAt = 2
        add(0, 40, 80, 120)
        assertEquals(listOf(RecordingEnd.FAILED), ends)
        assertTrue(file.removed)
    }

    @Test
    fun aSecondFormatEndsTheRecording() {
        encoder.formats = 2
        add(0, 40)
        assertEquals(listOf(RecordingEnd.FAILED), ends)
    }

    @Test
    fun sidesAreWholeMacroblocks() {
        assertEquals(VideoSize(480, 640), VideoSize.of(480, 640))
        assertEquals(VideoSize(352, 480), VideoSize.of(360, 481))
        assertEquals(VideoSize(1920, 1072), VideoSize.of(3840, 2160))
        assertEquals(VideoSize(16, 16), VideoSize.of(3, 5))
    }

    @Test
    fun coloursAreThoseOfTheStandard() {
        val size = VideoSize(4, 2)
        val random = java.util.Random(1)
        for (pixelStride in 1..2) {
            val block = IntArray(2) { random.nextInt() }
            val argb = IntArray(8) { block[it % 4 / 2] }
            val (y, u, v) = List(3) { Plane(ByteBuffer.allocate(64).apply { position(3) }, 4 * pixelStride + 3, pixelStride) }
            fillYuv(argb, size, y, u, v)
            for (index in argb.indices) {
                val column = index % 4
                val line = index / 4
                val (red, green, blue) = listOf(16, 8, 0).map { (argb[index] shr it and 255) / 255.0 }
                val luma = .299 * red + .587 * green + .114 * blue
                assertClose(16 + 219 * luma, y, column, line)
                assertClose(128 + 224 * (blue - luma) / 1.772, u, column / 2, line / 2)
                assertClose(128 + 224 * (red - luma) / 1.402, v, column / 2, line / 2)
            }
        }
    }

    private fun assertClose(expected: Double, plane: Plane, x: Int, y: Int) {
        val actual = plane.buffer.get(3 + y * plane.rowStride + x * plane.pixelStride).toInt() and 255
        assertTrue("$actual instead of $expected", abs(actual - expected) <= .51)
    }
}
