package org.kerassegformer.demo.device

import android.os.Debug
import androidx.test.ext.junit.runners.AndroidJUnit4
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.InputSpec
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.engine.BundledSelfCheckImage
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SelfCheckImage
import java.nio.ByteBuffer

/** Memory usage does not grow between a hundred and a thousand frames. */
@RunWith(AndroidJUnit4::class)
class ThousandFramesTest {
    private val container = InferenceContainer(Device.context)
    private val picture = BundledSelfCheckImage(Device.context.assets)
    private val listener = DeviceListener()

    @Test
    fun memoryDoesNotGrow() = container.newEngine(listener).use { engine ->
        engine.start(Device.bundledModels(container).first(), EngineSettings())
        assertTrue(listener.awaitSettled() is EngineState.Running)

        segment(engine, 1L..SETTLED)
        val before = bytesInUse()
        segment(engine, SETTLED + 1..FRAMES)
        val growth = bytesInUse() - before

        Device.log("Memory grew by $growth bytes in ${FRAMES - SETTLED} frames.")
        assertTrue("Memory grew by $growth bytes.", growth < MOST_GROWTH)
    }

    private fun segment(engine: SegmentationEngine, ids: LongRange) {
        for (id in ids) {
            assertTrue(engine.submit(PictureFrame(id, picture)))
            assertEquals(id, listener.awaitFrame())
        }
    }

    private fun bytesInUse(): Long {
        Runtime.getRuntime().gc()
        val java = Runtime.getRuntime().run { totalMemory() - freeMemory() }
        return java + Debug.getNativeHeapAllocatedSize()
    }

    private class PictureFrame(override val id: Long, private val picture: SelfCheckImage) : Frame {
        override val cameraNanos = 0L

        override fun writeTo(input: ByteBuffer, spec: InputSpec) = picture.writeTo(input, spec)

        override fun close() = Unit
    }

    private companion object {
        const val SETTLED = 100L
        const val FRAMES = 1_000L

        /** Tolerance for the runtime; a single leaked frame is 786 KB. */
        const val MOST_GROWTH = 4L shl 20
    }
}
