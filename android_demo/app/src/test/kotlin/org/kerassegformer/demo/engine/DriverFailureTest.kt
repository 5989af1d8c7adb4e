package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.Precision
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import java.io.File
import java.io.IOException

/** Drivers that fail, hang, return wrong labels, or crash the process. */
class DriverFailureTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val logFile: File by lazy { File(folder.root, "crash_log.json") }
    private val quick = TimeLimits(loadMillis = 3_000, runMillis = 3_000)

    private fun reasonsOf(inUse: ProcessorInUse) = inUse.rejected.associate { it.processor to it.reason }

    @Test
    fun `a GPU with wrong labels is rejected with the figure, now and at the next start`() {
        EngineHarness(logFile).use { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(labels = { if (it == 3) 0 else it })

            val inUse = harness.run(ProcessorChoice.GPU)

            assertEquals(Processor.CPU, inUse.processor)
            val answers = (reasonsOf(inUse)[Processor.GPU] as RejectionReason.LabelMismatch).measurement.result
            assertEquals(0.75, answers.agreement, 1e-9)
            assertTrue(answers.threshold > 0.75)
            assertEquals("a corrupt cached program may be the cause", listOf("fake_float16"), harness.runners.discarded)
        }
        EngineHarness(logFile).use { harness ->
            val reason = reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU] as RejectionReason.RejectedBefore
            assertTrue(reason.detail, "75" in reason.detail)
            assertEquals(listOf(Processor.CPU), harness.runners.tries)
        }
    }

    @Test
    fun `out-of-range labels are rejected`() = EngineHarness(logFile).use { harness ->
        harness.runners.behaviours[Processor.GPU] = Behaviour(labels = { it + 1000 })
        assertEquals(
            RejectionReason.InvalidLabel(1000, FAKE_CLASSES),
            reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU],
        )
    }

    @Test
    fun `a GPU that cannot be initialised is skipped and not tried again`() {
        EngineHarness(logFile).use { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(create = { error("No OpenCL library.") })
            assertEquals(
                RejectionReason.InitializationFailed("No OpenCL library."),
                reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU],
            )
        }
        EngineHarness(logFile).use { harness ->
            val reason = reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU] as RejectionReason.FailedBefore
            assertTrue(reason.detail, "No OpenCL library." in reason.detail)
            assertFalse(Processor.GPU in harness.runners.tries)
        }
    }

    @Test
    fun `a GPU that hangs during initialisation is skipped, and closed if it ever returns`() =
        EngineHarness(logFile, limits = quick).use { harness ->
            val hanging = HangingCall()
            harness.runners.behaviours[Processor.GPU] = Behaviour(create = hanging::hang)

            val inUse = harness.run(ProcessorChoice.GPU)

            assertEquals(Processor.CPU, inUse.processor)
            assertEquals(RejectionReason.TimedOut(quick.loadMillis), reasonsOf(inUse)[Processor.GPU])
            assertEquals(setOf(1), harness.segment(FakeFrame(1, label = 1)).labels)
            hanging.release()
            eventually { harness.runners.made.any { it.processor == Processor.GPU && it.closings.get() == 1 } }
            assertEquals(setOf(2), harness.segment(FakeFrame(2, label = 2)).labels)
        }

    @Test
    fun `a GPU that hangs in the self-check is skipped`() = EngineHarness(logFile, limits = quick).use { harness ->
        val hanging = HangingCall()
        harness.runners.behaviours[Processor.GPU] = Behaviour(run = { hanging.hang() })
        assertEquals(RejectionReason.TimedOut(quick.loadMillis), reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU])
        hanging.release()
        eventually { harness.runners.open().size == 1 }
    }

    @Test
    fun `a GPU that hangs in use falls back to the CPU`() = EngineHarness(logFile, limits = quick).use { harness ->
        val hanging = HangingCall()
        harness.runners.behaviours[Processor.GPU] = Behaviour(run = { if (it == 5) hanging.hang() })
        harness.run(ProcessorChoice.GPU)
        assertEquals(Processor.GPU, harness.segment(FakeFrame(1)).source.inUse.processor)

        harness.engine.submit(FakeFrame(2))

        val inUse = harness.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RejectionReason.TimedOutInUse(quick.runMillis), reasonsOf(inUse)[Processor.GPU])
        assertEquals(3L, harness.segment(FakeFrame(3)).frameId)
        hanging.release()
        eventually { harness.runners.open().size == 1 }
        assertFalse("the late result is discarded", harness.listener.hasResult(withinMillis = 50))
    }

    @Test
    fun `a GPU with out-of-range labels in use falls back to the CPU`() = EngineHarness(logFile).use { harness ->
        var runs = 0
        harness.runners.behaviours[Processor.GPU] =
            Behaviour(run = { runs = it }, labels = { if (runs < 5) it else it + 1000 })
        harness.run(ProcessorChoice.GPU)
        assertEquals(setOf(2), harness.segment(FakeFrame(1, label = 2)).labels)

        harness.engine.submit(FakeFrame(2, label = 2))

        val inUse = harness.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RejectionReason.InvalidLabel(1002, FAKE_CLASSES), reasonsOf(inUse)[Processor.GPU])
        assertEquals(setOf(3), harness.segment(FakeFrame(3, label = 3)).labels)
        assertFalse("the invalid labels are discarded", harness.listener.hasResult(withinMillis = 50))
    }

    @Test
    fun `a GPU that fails in use falls back to the CPU`() = EngineHarness(logFile).use { harness ->
        harness.runners.behaviours[Processor.GPU] = Behaviour(run = { check(it < 5) { "The context was lost." } })
        harness.run(ProcessorChoice.GPU)
        harness.segment(FakeFrame(1))

        harness.engine.submit(FakeFrame(2))

        val inUse = harness.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RejectionReason.FailedInUse("The context was lost."), reasonsOf(inUse)[Processor.GPU])
        assertEquals(setOf(3), harness.segment(FakeFrame(3, label = 3)).labels)
    }

    @Test
    fun `a GPU without enough memory is tried again at the next start`() {
        EngineHarness(logFile).use { harness ->
            harness.runners.behaviours[Processor.GPU] = Behaviour(create = { throw OutOfMemoryError() })
            assertEquals(RejectionReason.OutOfMemory, reasonsOf(harness.run(ProcessorChoice.GPU))[Processor.GPU])
        }
        EngineHarness(logFile).use { assertEquals(Processor.GPU, it.run(ProcessorChoice.GPU).processor) }
    }

    @Test
    fun `a driver that crashes the process is tried once per version of app and system`() {
        val fatal = HangingCall()
        // The driver crashes the process: this engine never continues.
        val dead = EngineHarness(logFile)
        dead.runners.behaviours[Processor.GPU] = Behaviour(create = fatal::hang)
        dead.start()
        fatal.awaitStart()

        EngineHarness(logFile).use { harness ->
            val inUse = harness.run(ProcessorChoice.GPU)
            assertEquals(Processor.CPU, inUse.processor)
            assertEquals(RejectionReason.CrashedBefore, reasonsOf(inUse)[Processor.GPU])
            assertFalse(Processor.GPU in harness.runners.tries)
            assertEquals(Processor.GPU, harness.run(ProcessorChoice.GPU, fakeModel("another")).processor)
        }
        EngineHarness(logFile, installation = "phone, app 2").use { harness ->
            assertEquals("an update may fix the driver", Processor.GPU, harness.run(ProcessorChoice.GPU).processor)
        }
        fatal.release()
        dead.close()
    }

    @Test
    fun `a crashed processor is tried again when the user resets it`() {
        val fatal = HangingCall()
        val dead = EngineHarness(logFile)
        dead.runners.behaviours[Processor.GPU] = Behaviour(create = fatal::hang)
        dead.start()
        fatal.awaitStart()

        EngineHarness(logFile).use { harness ->
            assertEquals(Processor.CPU, harness.run(ProcessorChoice.GPU).processor)
            harness.engine.forgetFailures()
            assertEquals(Processor.GPU, harness.run(ProcessorChoice.GPU).processor)
        }
        fatal.release()
        dead.close()
    }

    @Test
    fun `a model that crashes the app on the CPU does not crash it at each start`() {
        for (choice in listOf(ProcessorChoice.CPU, ProcessorChoice.AUTO)) {
            val fatal = HangingCall()
            val files = File(folder.root, "$choice.json")
            val dead = EngineHarness(files)
            dead.runners.behaviours[Processor.CPU] = Behaviour(create = fatal::hang)
            dead.start(choice)
            fatal.awaitStart()

            EngineHarness(files).use { harness ->
                harness.start(choice)
                val failed = harness.listener.await<EngineState.Failed>()
                assertEquals(Rejection(Processor.CPU, RejectionReason.CrashedBefore), failed.rejected.last())
                assertEquals(listOf<Processor>(), harness.runners.tries)
            }
            fatal.release()
            dead.close()
        }
    }

    @Test
    fun `an app that is swiped away during the check of the CPU still works`() {
        // Before Android 11, nothing tells a swipe from a crash.
        val swipes = List(2) { HangingCall() }
        for ((index, swiped) in swipes.withIndex()) {
            val ended = EngineHarness(logFile, lastExit = ExitCause.UNKNOWN)
            ended.runners.behaviours[Processor.CPU] = Behaviour(create = swiped::hang)
            ended.start(ProcessorChoice.CPU)
            swiped.awaitStart()
            EngineHarness(File(folder.root, "copy_$index.json").also { logFile.copyTo(it) }, lastExit = ExitCause.UNKNOWN)
                .use { harness ->
                    harness.start(ProcessorChoice.CPU)
                    if (index == 0) {
                        harness.listener.await<EngineState.Running>()
                    } else {
                        harness.listener.await<EngineState.Failed>()
                        harness.engine.forgetFailures()
                        assertEquals(Processor.CPU, harness.run(ProcessorChoice.CPU).processor)
                    }
                }
        }
        swipes.forEach(HangingCall::release)
    }

    @Test
    fun `no driver is loaded if the crash log cannot be written`() {
        val noFolder = File(folder.newFile("a file"), "crash_log.json")
        EngineHarness(noFolder).use { harness ->
            val inUse = harness.run(ProcessorChoice.GPU)
            assertEquals(Processor.CPU, inUse.processor)
            assertTrue(reasonsOf(inUse)[Processor.GPU] is RejectionReason.CrashLogUnwritable)
            assertFalse(Processor.GPU in harness.runners.tries)
        }
    }

    @Test
    fun `without a usable processor the engine can be restarted`() = EngineHarness(logFile).use { harness ->
        for (processor in Processor.entries) {
            harness.runners.behaviours[processor] = Behaviour(create = { throw IOException("$processor is broken.") })
        }
        harness.start()
        val failed = harness.listener.await<EngineState.Failed>()
        val cpu = RejectionReason.InitializationFailed("CPU is broken.")
        val expected = listOf(RejectionReason.NoReference(cpu), RejectionReason.NoReference(cpu), cpu)
        assertEquals(expected, failed.rejected.map(Rejection::reason))
        val frame = FakeFrame(1)
        assertFalse(harness.engine.submit(frame))
        assertEquals(1, frame.closings.get())

        harness.runners.behaviours.clear()
        assertEquals(Processor.CPU, harness.run(ProcessorChoice.CPU).processor)
        assertEquals(2L, harness.segment(FakeFrame(2)).frameId)
    }

    @Test
    fun `a CPU that fails in use is reported`() = EngineHarness(logFile).use { harness ->
        harness.runners.behaviours[Processor.CPU] = Behaviour(run = { check(it < 2) { "Broken." } })
        harness.run(ProcessorChoice.CPU)
        harness.engine.submit(FakeFrame(1))
        val failed = harness.listener.await<EngineState.Failed>()
        assertEquals(listOf(Rejection(Processor.CPU, RejectionReason.FailedInUse("Broken."))), failed.rejected)
    }

    @Test
    fun `a phone without NNAPI for accelerators is reported`() {
        for (sdk in listOf(26, 35)) {
            EngineHarness(File(folder.root, "$sdk.json"), sdk).use { harness ->
                val inUse = harness.run(ProcessorChoice.NNAPI)
                assertEquals(Processor.CPU, inUse.processor)
                assertEquals(RejectionReason.AndroidVersion, reasonsOf(inUse)[Processor.NNAPI])
            }
        }
        EngineHarness(logFile, sdk = 34).use { assertEquals(Processor.NNAPI, it.run(ProcessorChoice.NNAPI).processor) }
    }

    @Test
    fun `a model without a file for the GPU is reported`() = EngineHarness(logFile).use { harness ->
        val inUse = harness.run(model = fakeModel(precisions = listOf(Precision.INT8)))
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RejectionReason.NoModelFile, reasonsOf(inUse)[Processor.GPU])
    }
}
