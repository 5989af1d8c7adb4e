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

    private val logFile: File by lazy { File(folder.root, "crash_log.json") }

    private fun harness(test: (EngineHarness) -> Unit) = EngineHarness(logFile).use(test)

    @Test
    fun `Auto selects the GPU if its labels match the CPU`() = harness { harness ->
        harness.runners.behaviours[Processor.CPU] = Behaviour(millis = 20)

        val inUse = harness.run()

        assertEquals(Processor.GPU, inUse.processor)
        assertEquals(Precision.FLOAT16, inUse.file.spec.precision)
        assertEquals(1.0, inUse.check!!.result.agreement, 0.0)
        assertEquals(20_000_000L to 1_000_000L, inUse.check.cpuNanos to inUse.check.nanos)
        assertEquals(listOf<Rejection>(), inUse.rejected)
        val tried = harness.listener.states.mapNotNull { (it as? EngineState.Starting)?.processor }
        assertEquals(listOf(Processor.CPU), tried)
        eventually { harness.runners.open().size == 1 }
    }

    @Test
    fun `Auto skips a processor that is slower than the CPU`() = harness { harness ->
        for (accelerator in listOf(Processor.GPU, Processor.NNAPI)) {
            harness.runners.behaviours[accelerator] = Behaviour(millis = 30)
        }

        val inUse = harness.run()

        assertEquals(Processor.CPU, inUse.processor)
        assertNull(inUse.check)
        assertEquals(listOf(Processor.GPU, Processor.NNAPI), inUse.rejected.map(Rejection::processor))
        for (rejection in inUse.rejected) {
            val measurement = (rejection.reason as RejectionReason.SlowerThanCpu).measurement
            assertEquals(30_000_000L to 10_000_000L, measurement.nanos to measurement.cpuNanos)
        }
    }

    @Test
    fun `the CPU processes frames while the GPU is tried`() = harness { harness ->
        val compiling = HangingCall()
        harness.runners.behaviours[Processor.GPU] = Behaviour(create = compiling::hang)
        harness.start()

        val first = harness.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU to Processor.GPU, first.processor to first.trying)
        assertEquals(Processor.CPU, harness.segment(FakeFrame(1)).source.inUse.processor)
        compiling.release()

        assertEquals(Processor.GPU, harness.listener.settled().processor)
        assertEquals(Processor.GPU, harness.segment(FakeFrame(2)).source.inUse.processor)
        eventually { harness.runners.open().size == 1 }
    }

    @Test
    fun `a processor that passes after another model was started is closed`() = harness { harness ->
        val compiling = HangingCall()
        harness.runners.behaviours[Processor.GPU] = Behaviour(create = compiling::hang)
        harness.start()
        compiling.awaitStart()

        assertEquals("other", harness.run(ProcessorChoice.CPU, fakeModel("other")).model.name)
        compiling.release()

        eventually { harness.runners.made.any { it.processor == Processor.GPU && it.closings.get() == 1 } }
        assertEquals(Processor.CPU, harness.segment(FakeFrame(1)).source.inUse.processor)
    }

    @Test
    fun `the labels of the CPU are remembered for the next start`() {
        val runs = (1..2).map {
            var count = 0
            harness { harness ->
                harness.runners.behaviours[Processor.CPU] = Behaviour(run = { count = it })
                assertEquals(1.0, harness.run(ProcessorChoice.GPU).check!!.result.agreement, 0.0)
            }
            count
        }
        assertTrue("$runs", runs[1] == 1 && runs[0] > 1)
    }

    @Test
    fun `an accelerator is checked again now and then`() {
        EngineHarness(logFile, recheckNanos = 0).use { harness ->
            var runs = 0
            harness.runners.behaviours[Processor.GPU] =
                Behaviour(run = { runs = it }, labels = { if (runs > 8 && it == 3) 0 else it })
            harness.run(ProcessorChoice.GPU)

            var id = 0L
            while (harness.engine.state.let { it as? EngineState.Running }?.inUse?.processor == Processor.GPU) {
                harness.segment(FakeFrame(++id))
            }

            val reason = harness.listener.settled().rejected.single { it.processor == Processor.GPU }.reason
            assertEquals(0.75, (reason as RejectionReason.LabelMismatch).measurement.result.agreement, 1e-9)
            assertEquals(setOf(3), harness.segment(FakeFrame(++id, label = 3)).labels)
        }
        EngineHarness(logFile).use { harness ->
            val rejected = harness.run(ProcessorChoice.GPU).rejected.single { it.processor == Processor.GPU }
            assertTrue("${rejected.reason}", rejected.reason is RejectionReason.RejectedBefore)
        }
    }

    @Test
    fun `checks are repeated once per interval`() {
        var nanos = 0L
        val schedule = RecheckSchedule(intervalNanos = 100) { nanos }
        assertFalse(schedule.isDue())
        nanos = 100
        assertTrue(schedule.isDue())
        assertFalse(schedule.isDue())
        nanos = 150
        schedule.restart()
        nanos = 200
        assertFalse(schedule.isDue())
    }

    @Test
    fun `a slow GPU is used if the user selects it`() = harness { harness ->
        harness.runners.behaviours[Processor.GPU] = Behaviour(millis = 30)

        assertEquals(Processor.GPU, harness.run(ProcessorChoice.GPU).processor)
    }

    @Test
    fun `selecting the CPU loads no driver`() = harness { harness ->
        assertEquals(Processor.CPU, harness.run(ProcessorChoice.CPU).processor)
        assertEquals(listOf(Processor.CPU), harness.runners.tries.distinct())
    }

    @Test
    fun `labels belong to the frame with their ID`() = harness { harness ->
        harness.run()
        for (id in 1L..20L) {
            val label = (id % FAKE_CLASSES).toInt()
            val result = harness.segment(FakeFrame(id, label))
            assertEquals(id, result.frameId)
            assertEquals(setOf(label), result.labels)
        }
    }

    @Test
    fun `buffers are allocated once`() = harness { harness ->
        harness.run(ProcessorChoice.CPU)
        val results = (1L..50L).map { harness.segment(FakeFrame(it)) }
        results.forEach { assertSame(results.first().source, it.source) }
        assertEquals(1, harness.runners.made.size)
    }

    @Test
    fun `a busy model drops old frames and queues none`() = harness { harness ->
        val busy = HangingCall()
        val checks = 1
        harness.runners.behaviours[Processor.CPU] = Behaviour(run = { if (it == checks + 1) busy.hang() })
        harness.run(ProcessorChoice.CPU)
        val frames = (1L..6L).map { FakeFrame(it, label = (it % FAKE_CLASSES).toInt()) }

        harness.engine.submit(frames[0])
        busy.awaitStart()
        assertEquals("a camera image is released before the model runs", 1, frames[0].closings.get())
        frames.drop(1).forEach { assertTrue(harness.engine.submit(it)) }
        assertEquals(listOf(1, 1, 1, 1, 0), frames.drop(1).map { it.closings.get() })
        busy.release()

        assertEquals(1L, harness.listener.result().frameId)
        val last = harness.listener.result()
        assertEquals(6L, last.frameId)
        assertEquals(4, last.dropped)
        assertEquals(setOf(6 % FAKE_CLASSES), last.labels)
        assertFalse("nothing was queued", harness.listener.hasResult(withinMillis = 100))
        assertEquals("each frame is closed once", List(6) { 1 }, frames.map { it.closings.get() })
    }

    @Test
    fun `a frame that is submitted while the model loads waits for it`() = harness { harness ->
        val slow = HangingCall()
        harness.runners.behaviours[Processor.CPU] = Behaviour(create = slow::hang)
        harness.start(ProcessorChoice.CPU)
        slow.awaitStart()
        harness.engine.submit(FakeFrame(7, label = 3))
        slow.release()
        assertEquals(setOf(3), harness.listener.result().labels)
    }

    @Test
    fun `an unreadable frame is reported and the next one is processed`() = harness { harness ->
        harness.run()
        val broken = FakeFrame(1, failure = IllegalStateException("The image was closed."))
        harness.engine.submit(broken)
        assertEquals(1L to "The image was closed.", harness.listener.problems.take())
        assertEquals(1, broken.closings.get())
        assertEquals(2L, harness.segment(FakeFrame(2)).frameId)
    }

    @Test
    fun `starting another model closes the interpreter of the first`() = harness { harness ->
        harness.run(model = fakeModel("first"))
        val inUse = harness.run(model = fakeModel("second"))
        assertEquals("second", inUse.model.name)
        val result = harness.segment(FakeFrame(1))
        assertEquals("second", result.source.inUse.model.name)
        eventually { harness.runners.open().size == 1 }
        assertTrue(harness.runners.made.all { it.closings.get() <= 1 })
    }

    @Test
    fun `the model is unloaded in the background and reloaded with the next frame`() = harness { harness ->
        harness.run()
        harness.engine.trimMemory(20)
        harness.listener.await<EngineState.Suspended>()
        assertEquals(2L, harness.segment(FakeFrame(2, label = 1)).frameId)
        assertTrue(harness.engine.state is EngineState.Running)
    }

    @Test
    fun `low memory in the foreground keeps the model`() = harness { harness ->
        harness.run()
        harness.engine.trimMemory(15)
        assertEquals(setOf(2), harness.segment(FakeFrame(1, label = 2)).labels)
        assertTrue(harness.listener.states.none { it is EngineState.Suspended })
    }

    @Test
    fun `a severe thermal status throttles the frame rate`() = harness { harness ->
        harness.run()
        assertFalse(harness.engine.thermalState.isThrottled)

        harness.thermalMonitor.report(ThermalStatus.SEVERE)

        val state = harness.listener.thermalState()
        assertEquals(ThermalStatus.SEVERE, state.status)
        assertTrue(state.isThrottled)
        val limit = state.maxFps!!
        val start = System.nanoTime()
        val frames = 4
        for (id in 1L..frames) assertEquals(id, harness.segment(FakeFrame(id)).frameId)
        val seconds = (System.nanoTime() - start) / 1e9
        assertTrue("$frames frames took $seconds s", seconds >= 0.9 * (frames - 1) / limit)

        harness.thermalMonitor.report(ThermalStatus.NONE)
        assertFalse(harness.listener.thermalState().isThrottled)
    }

    @Test
    fun `a closed engine has no resources and accepts no frames`() {
        val harness = EngineHarness(logFile)
        harness.run()
        harness.engine.close()
        harness.listener.await<EngineState.Closed>()
        val frame = FakeFrame(1)
        assertFalse(harness.engine.submit(frame))
        assertEquals(1, frame.closings.get())
        assertFalse(harness.thermalMonitor.hasListener)
        eventually { harness.runners.open().isEmpty() }
    }

    @Test
    fun `closing does not wait for an inference, and leaves no thread`() {
        val harness = EngineHarness(logFile)
        val hanging = HangingCall()
        harness.runners.behaviours[Processor.CPU] = Behaviour(run = { if (it == 2) hanging.hang() })
        harness.run(ProcessorChoice.CPU)
        harness.engine.submit(FakeFrame(1))
        hanging.awaitStart()
        val waiting = FakeFrame(2)
        harness.engine.submit(waiting)

        harness.engine.close()

        harness.listener.await<EngineState.Closed>()
        assertEquals("the waiting frame is closed", 1, waiting.closings.get())
        assertEquals("the interpreter is still in use", 1, harness.runners.open().size)
        hanging.release()
        eventually { harness.runners.open().isEmpty() && harness.runners.made.none { it.thread.isAlive } }
        assertFalse("the late labels are discarded", harness.listener.hasResult(withinMillis = 50))
        assertTrue(harness.listener.states.last() is EngineState.Closed)
    }

    @Test
    fun `an attempt that is in progress when the engine is closed is logged to its end`() {
        val compiling = HangingCall()
        val harness = EngineHarness(logFile)
        harness.runners.behaviours[Processor.GPU] = Behaviour(create = compiling::hang)
        harness.start()
        compiling.awaitStart()
        harness.engine.close()
        harness.listener.await<EngineState.Closed>()
        assertTrue("the driver may still crash", "RUNNING" in logFile.readText())

        compiling.release()

        eventually { harness.runners.made.size == 2 && harness.runners.made.none { it.thread.isAlive } }
        assertTrue(harness.runners.open().isEmpty())
        eventually { "RUNNING" !in logFile.readText() }
        EngineHarness(logFile).use { assertEquals(Processor.GPU, it.run(ProcessorChoice.GPU).processor) }
    }

    @Test
    fun `an engine that is closed at once reports that it is closed`() {
        val harness = EngineHarness(logFile)
        harness.engine.close()
        harness.listener.await<EngineState.Closed>()
    }

    @Test
    fun `states come in order, each once`() = harness { harness ->
        harness.run(ProcessorChoice.CPU, fakeModel("first"))
        harness.run(ProcessorChoice.CPU, fakeModel("second"))
        harness.engine.trimMemory(20)
        harness.listener.await<EngineState.Suspended>()
        harness.engine.close()
        harness.listener.await<EngineState.Closed>()
        val names = harness.listener.states.map { it.javaClass.simpleName }
        assertEquals(listOf("Starting", "Running", "Starting", "Running", "Suspended", "Closed"), names)
    }

    @Test
    fun `an engine that was not started accepts no frames`() = harness { harness ->
        val frame = FakeFrame(1)
        assertFalse(harness.engine.submit(frame))
        assertEquals(1, frame.closings.get())
    }
}

/** Longer than anything takes on a busy machine; only a test that fails waits for it. */
internal const val PATIENCE_SECONDS = 300L

/** Waits until [condition] holds. */
internal fun eventually(condition: () -> Boolean) {
    val end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000
    while (!condition()) {
        if (System.nanoTime() > end) throw AssertionError("The condition was not met within $PATIENCE_SECONDS s.")
        Thread.sleep(5)
    }
}
