package org.kerassegformer.core

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory
import java.util.Random
import org.junit.Assert.assertEquals
import org.junit.Test

/** Per-frame code allocates nothing: garbage collection would cause jank. */
class AllocationTest {
    private val random = Random(3)
    private val labelSet = labelSetOf(List(150) { it })
    private val map = LabelMap(32, 32).apply { labels.indices.forEach { labels[it] = random.nextInt(150) } }

    @Test
    fun frameToBytes() = assertAllocatesNothing(TensorType.UINT8, Rotation.NONE)

    @Test
    fun rotatedFrameToBytes() = assertAllocatesNothing(TensorType.UINT8, Rotation.CLOCKWISE_270)

    @Test
    fun frameToFloats() = assertAllocatesNothing(TensorType.FLOAT32, Rotation.HALF)

    @Test
    fun labelsToImage() {
        val colorizer = LabelColorizer(labelSet, 32, 32, 128, 128)
        val pixels = IntArray(128 * 128)
        assertAllocatesNothing { colorizer.draw(map, pixels) }
    }

    @Test
    fun opacity() {
        val colorizer = LabelColorizer(labelSet, 32, 32, 128, 128)
        assertAllocatesNothing { colorizer.opacity = 0.3f }
    }

    @Test
    fun decodingLabelsAndLogits() {
        for (kind in OutputKind.entries) {
            val spec = OutputSpec(kind, 32, 32, if (kind == OutputKind.LOGITS) 150 else 1)
            val reader = LabelReader(spec, LabelReader.newOutput(spec))
            val into = LabelMap(32, 32)
            assertAllocatesNothing { reader.read(into) }
        }
    }

    @Test
    fun shares() {
        val shares = ClassShares(labelSet)
        val content = Box(0.0, 4.0, 32.0, 28.0)
        assertAllocatesNothing {
            shares.count(map)
            shares.count(map, content)
        }
    }

    @Test
    fun smoothing() {
        val smoother = LabelSmoother(32, 32, labelSet)
        assertAllocatesNothing { smoother.smooth(map) }
    }

    @Test
    fun latenciesAndThrottling() {
        val stats = LatencyStats()
        val rateLimiter = FrameRateLimiter().apply { status = ThermalStatus.SEVERE }
        var now = 0L
        assertAllocatesNothing {
            now += 33_000_000
            if (rateLimiter.admits(now)) stats.record(Phase.INPUT, 1_000_000)
            stats.frameShown(now)
        }
    }

    private fun assertAllocatesNothing(type: TensorType, rotation: Rotation) {
        val frame = TestFrames.noise(64, 48, random)
        val converter = FrameToInput(FrameGeometry(64, 48, 50, 50, rotation, mirror = true), type)
        val input = converter.newInput()
        assertAllocatesNothing { converter.convert(frame, input) }
    }

    private fun assertAllocatesNothing(work: Runnable) {
        // The JIT compiler and class loading also allocate objects.
        repeat(200) { work.run() }
        val least = List(5) { bytesOf(work) }.min()
        assertEquals("bytes for 100 frames", 0L, least)
    }

    private fun bytesOf(work: Runnable): Long {
        val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val before = threads.currentThreadAllocatedBytes
        repeat(100) { work.run() }
        return threads.currentThreadAllocatedBytes - before
    }
}
