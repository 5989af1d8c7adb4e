package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.Precision
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import java.io.File
import java.io.IOException

/** Drivers that fail, hang, lie, or end the process. */
class BadDriversTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val notes: File by lazy { File(folder.root, "attempts.json") }
    private val quick = TimeLimits(loadMillis = 300, runMillis = 300)

    private fun reasonsOf(inUse: ProcessorInUse) = inUse.refused.associate { it.processor to it.reason }

    @Test
    fun `a GPU that lies is refused with the figure, now and at the next start`() {
        EngineRig(notes).use { rig ->
            rig.runners.behaviours[Processor.GPU] = Behaviour(labels = { if (it == 3) 0 else it })

            val inUse = rig.run(ProcessorChoice.GPU)

            assertEquals(Processor.CPU, inUse.processor)
            val answers = (reasonsOf(inUse)[Processor.GPU] as RefusalReason.WrongAnswers).figures.answers
            assertEquals(0.75, answers.agreement, 1e-9)
            assertTrue(answers.threshold > 0.75)
            assertEquals("a damaged program may be why", listOf("fake_float16"), rig.runners.discarded)
        }
        EngineRig(notes).use { rig ->
            val reason = reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU] as RefusalReason.RefusedBefore
            assertTrue(reason.detail, "75" in reason.detail)
            assertEquals(listOf(Processor.CPU), rig.runners.tries)
        }
    }

    @Test
    fun `labels outside of the label set are refused`() = EngineRig(notes).use { rig ->
        rig.runners.behaviours[Processor.GPU] = Behaviour(labels = { it + 1000 })
        assertEquals(
            RefusalReason.UnknownLabel(1000, FAKE_CLASSES),
            reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU],
        )
    }

    @Test
    fun `a GPU that cannot be made gives way, and is not tried again`() {
        EngineRig(notes).use { rig ->
            rig.runners.behaviours[Processor.GPU] = Behaviour(create = { error("No OpenCL library.") })
            assertEquals(
                RefusalReason.NotBuilt("No OpenCL library."),
                reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU],
            )
        }
        EngineRig(notes).use { rig ->
            val reason = reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU] as RefusalReason.FailedBefore
            assertTrue(reason.detail, "No OpenCL library." in reason.detail)
            assertFalse(Processor.GPU in rig.runners.tries)
        }
    }

    @Test
    fun `a GPU that hangs while it is made gives way, and is closed if it ever comes back`() =
        EngineRig(notes, limits = quick).use { rig ->
            val hanging = Hanging()
            rig.runners.behaviours[Processor.GPU] = Behaviour(create = hanging::hang)

            val inUse = rig.run(ProcessorChoice.GPU)

            assertEquals(Processor.CPU, inUse.processor)
            assertEquals(RefusalReason.Hung(300), reasonsOf(inUse)[Processor.GPU])
            assertEquals(setOf(1), rig.segment(FakeFrame(1, label = 1)).labels)
            hanging.letGo()
            eventually { rig.runners.made.any { it.processor == Processor.GPU && it.closings.get() == 1 } }
            assertEquals(setOf(2), rig.segment(FakeFrame(2, label = 2)).labels)
        }

    @Test
    fun `a GPU that hangs in its check gives way`() = EngineRig(notes, limits = quick).use { rig ->
        val hanging = Hanging()
        rig.runners.behaviours[Processor.GPU] = Behaviour(run = { hanging.hang() })
        assertEquals(RefusalReason.Hung(300), reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU])
        hanging.letGo()
        eventually { rig.runners.open().size == 1 }
    }

    @Test
    fun `a GPU that hangs later gives way to the CPU, which says so`() = EngineRig(notes, limits = quick).use { rig ->
        val hanging = Hanging()
        rig.runners.behaviours[Processor.GPU] = Behaviour(run = { if (it == 5) hanging.hang() })
        rig.run(ProcessorChoice.GPU)
        assertEquals(Processor.GPU, rig.segment(FakeFrame(1)).source.inUse.processor)

        rig.engine.submit(FakeFrame(2))

        val inUse = rig.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RefusalReason.HungLater(300), reasonsOf(inUse)[Processor.GPU])
        assertEquals(3L, rig.segment(FakeFrame(3)).frameId)
        hanging.letGo()
        eventually { rig.runners.open().size == 1 }
        assertFalse("the late answer is nobody's", rig.listener.hasResult(withinMillis = 50))
    }

    @Test
    fun `a GPU that fails later gives way to the CPU, which says so`() = EngineRig(notes).use { rig ->
        rig.runners.behaviours[Processor.GPU] = Behaviour(run = { check(it < 5) { "The context was lost." } })
        rig.run(ProcessorChoice.GPU)
        rig.segment(FakeFrame(1))

        rig.engine.submit(FakeFrame(2))

        val inUse = rig.listener.await<EngineState.Running>().inUse
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RefusalReason.FailedLater("The context was lost."), reasonsOf(inUse)[Processor.GPU])
        assertEquals(setOf(3), rig.segment(FakeFrame(3, label = 3)).labels)
    }

    @Test
    fun `too little memory for the GPU is no reason to leave it out at the next start`() {
        EngineRig(notes).use { rig ->
            rig.runners.behaviours[Processor.GPU] = Behaviour(create = { throw OutOfMemoryError() })
            assertEquals(RefusalReason.OutOfMemory, reasonsOf(rig.run(ProcessorChoice.GPU))[Processor.GPU])
        }
        EngineRig(notes).use { rig -> assertEquals(Processor.GPU, rig.run(ProcessorChoice.GPU).processor) }
    }

    @Test
    fun `a driver that ends the process is tried once, until app, system or user change`() {
        val fatal = Hanging()
        // The process ends inside of the driver: this engine never gets any further.
        val dead = EngineRig(notes)
        dead.runners.behaviours[Processor.GPU] = Behaviour(create = fatal::hang)
        dead.start()
        fatal.awaitHang()

        EngineRig(notes).use { rig ->
            val inUse = rig.run(ProcessorChoice.GPU)
            assertEquals(Processor.CPU, inUse.processor)
            assertEquals(RefusalReason.EndedTheApp, reasonsOf(inUse)[Processor.GPU])
            assertFalse(Processor.GPU in rig.runners.tries)
            assertEquals(Processor.GPU, rig.run(ProcessorChoice.GPU, fakeModel("another")).processor)
        }
        EngineRig(notes, installation = "phone, app 2").use { rig ->
            assertEquals("an update may bring a cure", Processor.GPU, rig.run(ProcessorChoice.GPU).processor)
        }
        fatal.letGo()
        dead.close()
    }

    @Test
    fun `what ended the app is tried again when the user says so`() {
        val fatal = Hanging()
        val dead = EngineRig(notes)
        dead.runners.behaviours[Processor.GPU] = Behaviour(create = fatal::hang)
        dead.start()
        fatal.awaitHang()

        EngineRig(notes).use { rig ->
            assertEquals(Processor.CPU, rig.run(ProcessorChoice.GPU).processor)
            rig.engine.forgetFailures()
            assertEquals(Processor.GPU, rig.run(ProcessorChoice.GPU).processor)
        }
        fatal.letGo()
        dead.close()
    }

    @Test
    fun `a model that ends the app on the CPU does not end it at each start`() {
        for (choice in listOf(ProcessorChoice.CPU, ProcessorChoice.AUTO)) {
            val fatal = Hanging()
            val files = File(folder.root, "$choice.json")
            val dead = EngineRig(files)
            dead.runners.behaviours[Processor.CPU] = Behaviour(create = fatal::hang)
            dead.start(choice)
            fatal.awaitHang()

            EngineRig(files).use { rig ->
                rig.start(choice)
                val failed = rig.listener.await<EngineState.Failed>()
                assertEquals(Refusal(Processor.CPU, RefusalReason.EndedTheApp), failed.refused.last())
                assertEquals(listOf<Processor>(), rig.runners.tries)
            }
            fatal.letGo()
            dead.close()
        }
    }

    @Test
    fun `without a note on disk no driver is touched`() {
        val noFolder = File(folder.newFile("a file"), "attempts.json")
        EngineRig(noFolder).use { rig ->
            val inUse = rig.run(ProcessorChoice.GPU)
            assertEquals(Processor.CPU, inUse.processor)
            assertTrue(reasonsOf(inUse)[Processor.GPU] is RefusalReason.NotNoted)
            assertFalse(Processor.GPU in rig.runners.tries)
        }
    }

    @Test
    fun `with no processor left the engine says why, and can be started again`() = EngineRig(notes).use { rig ->
        for (processor in Processor.entries) {
            rig.runners.behaviours[processor] = Behaviour(create = { throw IOException("$processor is broken.") })
        }
        rig.start()
        val failed = rig.listener.await<EngineState.Failed>()
        val cpu = RefusalReason.NotBuilt("CPU is broken.")
        val expected = listOf(RefusalReason.NotCompared(cpu), RefusalReason.NotCompared(cpu), cpu)
        assertEquals(expected, failed.refused.map(Refusal::reason))
        val frame = FakeFrame(1)
        assertFalse(rig.engine.submit(frame))
        assertEquals(1, frame.closings.get())

        rig.runners.behaviours.clear()
        assertEquals(Processor.CPU, rig.run(ProcessorChoice.CPU).processor)
        assertEquals(2L, rig.segment(FakeFrame(2)).frameId)
    }

    @Test
    fun `a CPU that fails later is named`() = EngineRig(notes).use { rig ->
        rig.runners.behaviours[Processor.CPU] = Behaviour(run = { check(it < 2) { "Broken." } })
        rig.run(ProcessorChoice.CPU)
        rig.engine.submit(FakeFrame(1))
        val failed = rig.listener.await<EngineState.Failed>()
        assertEquals(listOf(Refusal(Processor.CPU, RefusalReason.FailedLater("Broken."))), failed.refused)
    }

    @Test
    fun `a phone without NNAPI for accelerators says so`() {
        for (sdk in listOf(26, 35)) {
            EngineRig(File(folder.root, "$sdk.json"), sdk).use { rig ->
                val inUse = rig.run(ProcessorChoice.NNAPI)
                assertEquals(Processor.CPU, inUse.processor)
                assertEquals(RefusalReason.AndroidVersion, reasonsOf(inUse)[Processor.NNAPI])
            }
        }
        EngineRig(notes, sdk = 34).use { assertEquals(Processor.NNAPI, it.run(ProcessorChoice.NNAPI).processor) }
    }

    @Test
    fun `a model without a file for the GPU says so`() = EngineRig(notes).use { rig ->
        val inUse = rig.run(model = fakeModel(precisions = listOf(Precision.INT8)))
        assertEquals(Processor.CPU, inUse.processor)
        assertEquals(RefusalReason.NoModelFile, reasonsOf(inUse)[Processor.GPU])
    }
}
