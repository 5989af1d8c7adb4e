package org.kerassegformer.demo.device

import androidx.test.ext.junit.runners.AndroidJUnit4
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.ModelParts
import org.kerassegformer.demo.benchmark.BenchmarkRequest
import java.io.File

/** Measures all models on all processors, shows the table and leaves the report in the app's own folder. */
@RunWith(AndroidJUnit4::class)
class DeviceBenchmarkTest {
    @Test
    fun measure() {
        val parts = ModelParts(Device.context)
        val plan = BenchmarkRequest().planFor(parts.newModelStore().list().models)

        val report = parts.newBenchmark().run(plan, progress = {}, isCancelled = { false })

        val file = File(Device.context.getExternalFilesDir(null), "benchmark.json")
        file.writeText(report.toJson())
        Device.say("${report.toText()}\n$file")
        val cpu = report.entries.filter { it.processor == Processor.CPU }
        assertTrue(report.toText(), cpu.isNotEmpty() && cpu.all { it.error == null })
    }
}
