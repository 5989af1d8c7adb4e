package org.kerassegformer.demo.device

import android.os.Debug
import androidx.test.ext.junit.runners.AndroidJUnit4
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.InputSpec
import org.kerassegformer.demo.ModelParts
import org.kerassegformer.demo.engine.BundledCheckPicture
import org.kerassegformer.demo.engine.CheckPicture
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.engine.SegmentationEngine
import java.nio.ByteBuffer

/** The memory in use after a thousand frames is that after a hundred. */
@RunWith(AndroidJUnit4::class)
class ThousandFramesTest {
    private val parts = ModelParts(Device.context)
    private val picture = BundledCheckPicture(Device.context.assets)
    private val listener = DeviceListener()

    @Test
    fun memoryDoesNotGrow() = parts.newEngine(listener).use { engine ->
        engine.start(Device.bundledModels(parts).first(), EngineSettings())
        assertTrue(listener.awaitSettled() is EngineState.Running)

        segment(engine, 1L..SETTLED)
        val before = bytesInUse()
        segment(engine, SETTLED + 1..FRAMES)
        val growth = bytesInUse() - before

        Device.say("Memory grew by $growth bytes in ${FRAMES - SETTLED} frames.")
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

    private class PictureFrame(override val id: Long, private val picture: CheckPicture) : Frame {
        override val cameraNanos = 0L

        override fun writeTo(input: ByteBuffer, spec: InputSpec) = picture.writeTo(input, spec)

        override fun close() = Unit
    }

    private companion object {
        const val SETTLED = 100L
        const val FRAMES = 1_000L

        /** What the runtime itself may have made meanwhile; one frame that is kept is 786 KB. */
        const val MOST_GROWTH = 4L shl 20
    }
}
