package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.models.StoredModel
import java.io.File

/** What a self-check that the GPU passed is worth at the next start. */
class TrustedProcessorTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val logFile: File by lazy { File(folder.root, "crash_log.json") }

    /** Starts the app with the GPU, and returns the number of its runs before the first frame. */
    private fun runsBeforeTheFirstFrame(
        lastExit: ExitCause = ExitCause.CRASH,
        installation: String = "phone, app 1",
        driver: String = "driver 1",
        model: StoredModel = fakeModel(),
    ): Int {
        var runs = 0
        val harness =
            EngineHarness(logFile, installation = installation, driver = driver, lastExit = lastExit, recheckNanos = 0)
        var before = 0
        process(harness) {
            it.runners.behaviours[Processor.GPU] = Behaviour(run = { number -> runs = number })
            assertEquals(1.0, it.run(ProcessorChoice.GPU, model).check!!.result.agreement, 0.0)
            before = runs
            assertEquals(setOf(2), it.segment(FakeFrame(1, label = 2)).labels)
            eventually { runs == before + 2 }
        }
        return before
    }

    /** Runs [test] in a process of the app that ends after its engine. */
    private fun process(harness: EngineHarness, test: (EngineHarness) -> Unit) {
        harness.use(test)
        awaitEnd(harness)
    }

    /** Waits for an engine that is being closed: until then it writes to the log, which the next process reads. */
    private fun awaitEnd(harness: EngineHarness) = eventually { harness.engine.state == EngineState.Closed }

    @Test
    fun `it goes live without the check, which is repeated later`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        assertEquals(0, runsBeforeTheFirstFrame())
        assertEquals("the later check does not forget it", 0, runsBeforeTheFirstFrame())
    }

    @Test
    fun `another system, app, driver or model is checked`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        assertTrue(runsBeforeTheFirstFrame(driver = "driver 2") > 0)
        assertEquals(0, runsBeforeTheFirstFrame(driver = "driver 2"))
        assertTrue(runsBeforeTheFirstFrame(driver = "driver 2", model = fakeModel("other")) > 0)
        assertTrue(runsBeforeTheFirstFrame(driver = "driver 2", installation = "phone, app 2") > 0)
    }

    @Test
    fun `a crash while it is in use forgets it, a swipe does not`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        for ((cause, isTrusted) in listOf(ExitCause.BENIGN to true, ExitCause.CRASH to false, ExitCause.UNKNOWN to false)) {
            // A process that ends with the GPU in use: its engine is not closed.
            val ended = EngineHarness(logFile)
            ended.run(ProcessorChoice.GPU)
            assertEquals("$cause", isTrusted, runsBeforeTheFirstFrame(lastExit = cause) == 0)
            ended.close()
            awaitEnd(ended)
        }
    }

    @Test
    fun `a failure in use forgets it`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        process(EngineHarness(logFile)) { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(run = { error("The context was lost.") })
            harness.run(ProcessorChoice.GPU)
            harness.engine.submit(FakeFrame(1))
            assertEquals(Processor.CPU, harness.listener.settled().processor)
        }
        assertTrue(runsBeforeTheFirstFrame() > 0)
    }

    @Test
    fun `wrong labels are found by the later check`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        process(EngineHarness(logFile, recheckNanos = 0)) { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(labels = { if (it == 3) 0 else it })
            harness.run(ProcessorChoice.GPU)
            harness.segment(FakeFrame(1))
            val reason = harness.listener.settled().rejected.single { it.processor == Processor.GPU }.reason
            assertTrue("$reason", reason is RejectionReason.LabelMismatch)
        }
    }

    @Test
    fun `Retry crashed processors forgets it`() {
        assertTrue(runsBeforeTheFirstFrame() > 0)
        process(EngineHarness(logFile)) { harness ->
            harness.run(ProcessorChoice.CPU)
            harness.engine.forgetFailures()
            harness.run(ProcessorChoice.CPU)
        }
        assertTrue(runsBeforeTheFirstFrame() > 0)
    }

    @Test
    fun `Auto does not take one that was slower than the CPU`() {
        process(EngineHarness(logFile)) { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(millis = 30)
            assertEquals(Processor.GPU, harness.run(ProcessorChoice.GPU).processor)
        }
        process(EngineHarness(logFile)) { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(millis = 30)
            assertFalse(Processor.GPU == harness.run().processor)
        }
    }
}
