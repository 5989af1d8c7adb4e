package org.kerassegformer.demo.engine

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.benchmark.BenchmarkPlan
import org.kerassegformer.demo.benchmark.ModelBenchmark
import org.kerassegformer.demo.benchmark.currentDevice
import org.kerassegformer.demo.models.ImportFolder
import org.kerassegformer.demo.models.ModelLocation
import org.kerassegformer.demo.models.TEST_RUNTIME
import org.kerassegformer.demo.models.hostModels
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File
import java.nio.ByteBuffer

/** The bundled model on the bundled image, with TF Lite of the host. */
@RunWith(RobolectricTestRunner::class)
class RealModelTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val picture by lazy { BundledSelfCheckImage(RuntimeEnvironment.getApplication().assets) }
    private val listener = RecordingListener()

    private fun engine(runners: InferenceRunnerFactory): SegmentationEngine {
        val crashLog = crashLog(File(folder.root, "crash_log.json"), "this machine")
        val trial = newTrial(ModelLoader(runners), picture, crashLog, File(folder.root, "crash_log.json"))
        return LiveEngine(trial, DelegatePolicy(sdk = 33), crashLog, FakeThermalMonitor(), listener)
    }

    private fun model() = hostModels(ImportFolder(folder.root)).list().models.single()

    @Test
    fun `the labels of the NNAPI file match those of the CPU file`() = engine(HostRunners()).use { engine ->
        engine.start(model(), EngineSettings(ProcessorChoice.NNAPI, threads = 2))
        val inUse = listener.settled()
        assertEquals(Processor.NNAPI, inUse.processor)
        assertTrue("${inUse.check}", inUse.check!!.result.agreement >= 0.98)
    }

    @Test
    fun `an NNAPI driver that shifts its labels is rejected`() = engine(ShiftedRunners(HostRunners())).use { engine ->
        engine.start(model(), EngineSettings(ProcessorChoice.NNAPI, threads = 2))
        val inUse = listener.settled()
        assertEquals(Processor.CPU, inUse.processor)
        val reason = inUse.rejected.single { it.processor == Processor.NNAPI }.reason
        assertTrue("$reason", reason is RejectionReason.LabelMismatch)

        engine.submit(PictureFrame(picture))
        val labels = listener.result().labels.map(inUse.file.spec.labelSet.names::get)
        assertTrue("$labels", labels.containsAll(listOf("Sky", "Road", "Building", "Car")))
    }

    @Test
    fun `a benchmark measures the real model`() {
        val crashLog = crashLog(File(folder.root, "crash_log.json"), "this machine")
        val trial = newTrial(ModelLoader(HostRunners()), picture, crashLog, File(folder.root, "crash_log.json"))
        val device = currentDevice(RuntimeEnvironment.getApplication(), TEST_RUNTIME)
        val benchmark = ModelBenchmark(trial, DelegatePolicy(sdk = 33), crashLog, picture, FakeThermalMonitor(), device)
        val plan = BenchmarkPlan(listOf(model()), listOf(Processor.CPU), threads = 2, warmUp = 0, runs = 1)

        val entry = runBlocking { benchmark.run(plan, {}, { false }) }.entries.single()

        assertEquals("b0_camvid_int8", entry.model)
        assertEquals(null, entry.error)
        assertTrue(entry.timings.getValue(Phase.INFERENCE).p50 > 0)
        assertTrue(entry.loadMillis!! > 0)
    }

    /** The self-check image as a frame. */
    private class PictureFrame(private val picture: SelfCheckImage) : Frame {
        override val id = 1L
        override val cameraNanos = 0L

        override fun writeTo(input: ByteBuffer, spec: InputSpec) =
            picture.writeTo(input, spec)

        override fun close() = Unit
    }

    /** An NNAPI driver that shifts its labels down by four rows. */
    private class ShiftedRunners(private val runners: InferenceRunnerFactory) : InferenceRunnerFactory by runners {
        override fun create(
            file: ModelFile,
            location: ModelLocation,
            processor: Processor,
            threads: Int,
        ): InferenceRunner {
            val runner = runners.create(file, location, processor, threads)
            return if (processor == Processor.NNAPI) Shifted(runner, file.spec.output.width * 4) else runner
        }

        private class Shifted(private val runner: InferenceRunner, private val by: Int) : InferenceRunner by runner {
            override fun run() {
                runner.run()
                val labels = runner.output.asIntBuffer()
                for (index in labels.capacity() - 1 downTo by) labels.put(index, labels[index - by])
            }
        }
    }
}
