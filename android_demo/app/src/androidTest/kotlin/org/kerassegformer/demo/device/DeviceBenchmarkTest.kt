package org.kerassegformer.demo.device

import androidx.test.ext.junit.runners.AndroidJUnit4
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.benchmark.BenchmarkRequest
import java.io.File

/** Measures all models on all processors, prints the table and writes the report to the app's external folder. */
@RunWith(AndroidJUnit4::class)
class DeviceBenchmarkTest {
    @Test
    fun measure() {
        val container = InferenceContainer(Device.context)
        val plan = BenchmarkRequest().planFor(container.newModelStore().list().models)

        val report = runBlocking { container.newBenchmark().run(plan, progress = {}, isCancelled = { false }) }

        val file = File(Device.context.getExternalFilesDir(null), "benchmark.json")
        file.writeText(report.toJson())
        Device.log("${report.toText()}\n$file")
        val cpu = report.entries.filter { it.processor == Processor.CPU }
        assertTrue(report.toText(), cpu.isNotEmpty() && cpu.all { it.error == null })
    }
}
