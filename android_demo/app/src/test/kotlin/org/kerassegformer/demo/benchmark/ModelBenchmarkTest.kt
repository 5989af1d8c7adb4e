package org.kerassegformer.demo.benchmark

import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.DeviceInfo
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.engine.Behaviour
import org.kerassegformer.demo.engine.FakeRunners
import org.kerassegformer.demo.engine.FakeThermalMonitor
import org.kerassegformer.demo.engine.ModelLoader
import org.kerassegformer.demo.engine.crashLog
import org.kerassegformer.demo.engine.newTrial
import org.kerassegformer.demo.engine.eventually
import org.kerassegformer.demo.engine.fakeModel
import org.kerassegformer.demo.engine.stripes
import java.io.File

class ModelBenchmarkTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val runners = FakeRunners()
    private val thermalMonitor = FakeThermalMonitor()
    private val device = DeviceInfo("Maker", "Phone", "chip", "14", 34, "arm64-v8a", 8, "2.16.1", "0.1.0")

    private fun benchmark(): BenchmarkRunner {
        val crashLog = crashLog(File(folder.root, "crash_log.json"), "phone")
        val trial = newTrial(ModelLoader(runners), stripes, crashLog, File(folder.root, "crash_log.json"))
        return ModelBenchmark(trial, DelegatePolicy(sdk = 33), crashLog, stripes, thermalMonitor, device)
    }

    private fun plan(vararg names: String, runs: Int = 50) =
        BenchmarkPlan(names.map { fakeModel(it) }, threads = 3, warmUp = 4, runs = runs)

    private fun run(plan: BenchmarkPlan, progress: MutableList<BenchmarkProgress> = mutableListOf()): BenchmarkReport =
        runBlocking { benchmark().run(plan, { progress += it }, { false }) }

    @Test
    fun `each model is measured on each processor`() {
        runners.behaviours[Processor.CPU] = Behaviour(run = { Thread.sleep(2) })
        thermalMonitor.report(ThermalStatus.LIGHT)

        val report = run(plan("one", "two"))

        assertEquals(device, report.device)
        val expected = listOf("one", "two").flatMap { name ->
            listOf("float16" to Processor.GPU, "int8_npu" to Processor.NNAPI, "int8" to Processor.CPU)
                .map { (precision, processor) -> "${name}_$precision" to processor }
        }
        assertEquals(expected, report.entries.map { it.model to it.processor })
        for (entry in report.entries) {
            assertNull(entry.error)
            assertEquals("2.16.1".takeIf { entry.processor == Processor.GPU }, entry.runtime)
            assertEquals(setOf(Phase.INPUT, Phase.INFERENCE, Phase.OUTPUT), entry.timings.keys)
            assertTrue(entry.timings.values.all { it.count == 50 && it.p90 >= it.p50 })
            assertEquals(ThermalStatus.LIGHT, entry.thermalBefore)
            val isCpu = entry.processor == Processor.CPU
            assertEquals(if (isCpu) null else 1.0, entry.agreement)
            assertEquals(if (isCpu) 3 else null, entry.threads)
            if (isCpu) assertTrue(entry.timings.getValue(Phase.INFERENCE).p50 >= 2)
        }
        assertEquals(report, BenchmarkReport.parse(report.toJson()))
        eventually { runners.open().isEmpty() }
    }

    @Test
    fun `the progress counts every run up to the last`() {
        val progress = mutableListOf<BenchmarkProgress>()
        run(plan("one"), progress)
        assertEquals(0, progress.first().done)
        assertTrue(progress.zipWithNext().all { (before, after) -> before.done <= after.done })
        assertEquals(3 * 54, progress.last().done)
        assertTrue(progress.all { it.total == 3 * 54 })
        assertTrue(progress.map(BenchmarkProgress::done).toSet().containsAll((0..162).toList()))
    }

    @Test
    fun `a slow accelerator is measured anyway`() {
        runners.behaviours[Processor.GPU] = Behaviour(run = { Thread.sleep(5) })
        val gpu = run(plan("one")).entries.first()
        assertNull(gpu.error)
        assertTrue(gpu.timings.getValue(Phase.INFERENCE).p50 >= 5)
    }

    @Test
    fun `failures are reported with their reason, and the rest is measured`() {
        runners.behaviours[Processor.GPU] = Behaviour(labels = { 0 })
        runners.behaviours[Processor.NNAPI] = Behaviour(create = { error("No accelerator.") })
        val (gpu, nnapi, cpu) = run(plan("one")).entries
        assertTrue(gpu.error, "25.0%" in gpu.error!!)
        assertEquals("No accelerator.", nnapi.error)
        assertTrue(nnapi.timings.isEmpty())
        assertNull(cpu.error)
        assertNotNull(cpu.loadMillis)

        val (againGpu, againNnapi) = run(plan("one")).entries
        assertTrue(againGpu.error, "25.0%" in againGpu.error!!)
        assertEquals("No accelerator.", againNnapi.error)
    }

    @Test
    fun `every report has a self-check of its own`() {
        assertEquals(1.0, run(plan("one")).entries.first().agreement)
        runners.behaviours[Processor.GPU] = Behaviour(labels = { 0 })
        val gpu = run(plan("one")).entries.first()
        assertTrue("${gpu.error}", "25.0%" in gpu.error.orEmpty())
    }

    @Test
    fun `a failure between runs is reported and leaves nothing loaded`() {
        runners.behaviours[Processor.GPU] = Behaviour(run = { check(it < 20) { "The context was lost." } })
        val gpu = run(plan("one")).entries.first()
        assertEquals("The context was lost.", gpu.error)
        assertTrue(gpu.timings.isEmpty())
        eventually { runners.open().isEmpty() }
    }

    @Test
    fun `a cancelled benchmark reports the completed measurements`() {
        var calls = 0
        var last: BenchmarkProgress? = null
        val report = runBlocking { benchmark().run(plan("one", "two"), { last = it }, { ++calls > 54 + 30 }) }
        assertEquals(listOf("one_float16" to Processor.GPU), report.entries.map { it.model to it.processor })
        assertEquals(Processor.NNAPI, last!!.processor)
        eventually { runners.open().isEmpty() }
    }
}
