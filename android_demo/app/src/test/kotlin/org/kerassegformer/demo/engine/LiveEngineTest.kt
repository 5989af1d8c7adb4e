package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.Precision
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.ThermalStatus
import java.io.File

class LiveEngineTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val notes: File by lazy { File(folder.root, "attempts.json") }

    private fun rig(test: (EngineRig) -> Unit) = EngineRig(notes).use(test)

    @Test
    fun `Auto takes the GPU that answers as the CPU does`() = rig { rig ->
        rig.runners.behaviours[Processor.CPU] = Behaviour(run = { Thread.sleep(20) })

        val inUse = rig.run()

        assertEquals(Processor.GPU, inUse.processor)
        assertEquals(Precision.FLOAT16, inUse.file.spec.precision)
        assertEquals(1.0, inUse.check!!.answers.agreement, 0.0)
        assertTrue(inUse.check.cpuNanos > inUse.check.nanos)
        assertEquals(listOf<Refusal>(), inUse.refused)
        assertEquals(listOf(Processor.GPU), rig.listener.states.mapNotNull { (it as? EngineState.Starting)?.processor })
        assertEquals("the reference's interpreter is closed", 1, rig.runners.open().size)
    }

    @Test
    fun `Auto passes by a processor that is slower than the CPU and says by how much`() = rig { rig ->
        for (accelerator in listOf(Processor.GPU, Processor.NNAPI)) {
            rig.runners.behaviours[accelerator] = Behaviour(run = { Thread.sleep(30) })
        }

        val inUse = rig.run()

        assertEquals(Processor.CPU, inUse.processor)
        assertNull(inUse.check)
        assertEquals(listOf(Processor.GPU, Processor.NNAPI), inUse.refused.map(Refusal::processor))
        for (refusal in inUse.refused) {
            val figures = (refusal.reason as RefusalReason.SlowerThanCpu).figures
            assertTrue(figures.nanos >= 30_000_000 && figures.cpuNanos < figures.nanos)
        }
    }

    @Test
    fun `a slow GPU is used when it is asked for`() = rig { rig ->
        rig.runners.behaviours[Processor.GPU] = Behaviour(run = { Thread.sleep(30) })

        assertEquals(Processor.GPU, rig.run(ProcessorChoice.GPU).processor)
    }

    @Test
    fun `a choice of the CPU touches no driver`() = rig { rig ->
        assertEquals(Processor.CPU, rig.run(ProcessorChoice.CPU).processor)
        assertEquals(listOf(Processor.CPU), rig.runners.tries.distinct())
    }

    @Test
    fun `labels are those of the frame that they name`() = rig { rig ->
        rig.run()
        for (id in 1L..20L) {
            val label = (id % FAKE_CLASSES).toInt()
            val result = rig.segment(FakeFrame(id, label))
            assertEquals(id, result.frameId)
            assertEquals(setOf(label), result.labels)
        }
    }

    @Test
    fun `buffers are made once`() = rig { rig ->
        rig.run(ProcessorChoice.CPU)
        val results = (1L..50L).map { rig.segment(FakeFrame(it)) }
        results.forEach { assertSame(results.first().source, it.source) }
        assertEquals(1, rig.runners.made.size)
    }

    @Test
    fun `a busy model drops old frames and queues none`() = rig { rig ->
        val busy = Hanging()
        val checks = 1
        rig.runners.behaviours[Processor.CPU] = Behaviour(run = { if (it == checks + 1) busy.hang() })
        rig.run(ProcessorChoice.CPU)
        val frames = (1L..6L).map { FakeFrame(it, label = (it % FAKE_CLASSES).toInt()) }

        rig.engine.submit(frames[0])
        busy.awaitHang()
        assertEquals("an image goes back to the camera before the model runs", 1, frames[0].closings.get())
        frames.drop(1).forEach { assertTrue(rig.engine.submit(it)) }
        assertEquals(listOf(1, 1, 1, 1, 0), frames.drop(1).map { it.closings.get() })
        busy.letGo()

        assertEquals(1L, rig.listener.result().frameId)
        val last = rig.listener.result()
        assertEquals(6L, last.frameId)
        assertEquals(4, last.dropped)
        assertEquals(setOf(6 % FAKE_CLASSES), last.labels)
        assertFalse("nothing was queued", rig.listener.hasResult(withinMillis = 100))
        assertEquals("each is closed once", List(6) { 1 }, frames.map { it.closings.get() })
    }

    @Test
    fun `a frame that comes while the model loads waits for it`() = rig { rig ->
        val slow = Hanging()
        rig.runners.behaviours[Processor.CPU] = Behaviour(create = slow::hang)
        rig.start(ProcessorChoice.CPU)
        slow.awaitHang()
        rig.engine.submit(FakeFrame(7, label = 3))
        slow.letGo()
        assertEquals(setOf(3), rig.listener.result().labels)
    }

    @Test
    fun `a frame that cannot be read is named and the next one is taken`() = rig { rig ->
        rig.run()
        val broken = FakeFrame(1, failure = IllegalStateException("The image was closed."))
        rig.engine.submit(broken)
        assertEquals(1L to "The image was closed.", rig.listener.problems.take())
        assertEquals(1, broken.closings.get())
        assertEquals(2L, rig.segment(FakeFrame(2)).frameId)
    }

    @Test
    fun `another model takes the place of the first, whose interpreter is closed`() = rig { rig ->
        rig.run(model = fakeModel("first"))
        val inUse = rig.run(model = fakeModel("second"))
        assertEquals("second", inUse.model.name)
        val result = rig.segment(FakeFrame(1))
        assertEquals("second", result.source.inUse.model.name)
        assertEquals(1, rig.runners.open().size)
        assertTrue(rig.runners.made.all { it.closings.get() <= 1 })
    }

    @Test
    fun `out of sight the model goes, and comes back with the next frame`() = rig { rig ->
        rig.run()
        rig.engine.trimMemory(20)
        rig.listener.await<EngineState.Suspended>()
        assertEquals(2L, rig.segment(FakeFrame(2, label = 1)).frameId)
        assertTrue(rig.engine.state is EngineState.Running)
    }

    @Test
    fun `in sight a lack of memory leaves the model`() = rig { rig ->
        rig.run()
        rig.engine.trimMemory(15)
        assertEquals(setOf(2), rig.segment(FakeFrame(1, label = 2)).labels)
        assertTrue(rig.listener.states.none { it is EngineState.Suspended })
    }

    @Test
    fun `severe heat lowers the frame rate and says so`() = rig { rig ->
        rig.run()
        assertFalse(rig.engine.heat.slowsDown)

        rig.heat.become(ThermalStatus.SEVERE)

        val heat = rig.listener.heat()
        assertEquals(ThermalStatus.SEVERE, heat.status)
        assertTrue(heat.slowsDown)
        val limit = heat.maxFps!!
        val start = System.nanoTime()
        val frames = 4
        for (id in 1L..frames) assertEquals(id, rig.segment(FakeFrame(id)).frameId)
        val seconds = (System.nanoTime() - start) / 1e9
        assertTrue("$frames frames took $seconds s", seconds >= 0.9 * (frames - 1) / limit)

        rig.heat.become(ThermalStatus.NONE)
        assertFalse(rig.listener.heat().slowsDown)
    }

    @Test
    fun `a closed engine holds nothing and takes nothing`() {
        val rig = EngineRig(notes)
        rig.run()
        rig.engine.close()
        rig.listener.await<EngineState.Closed>()
        val frame = FakeFrame(1)
        assertFalse(rig.engine.submit(frame))
        assertEquals(1, frame.closings.get())
        assertFalse(rig.heat.isListenedTo)
        eventually { rig.runners.open().isEmpty() }
    }

    @Test
    fun `an engine that was not started takes no frame`() = rig { rig ->
        val frame = FakeFrame(1)
        assertFalse(rig.engine.submit(frame))
        assertEquals(1, frame.closings.get())
    }
}

/** Waits until [condition] holds. */
internal fun eventually(condition: () -> Boolean) {
    val end = System.nanoTime() + 20_000_000_000
    while (!condition()) {
        if (System.nanoTime() > end) throw AssertionError("It did not happen within 20 s.")
        Thread.sleep(5)
    }
}
