package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class BenchmarkReportTest {
    private val device = DeviceInfo("Maker", "Phone 1", "board", "14", 34, "arm64-v8a", 8, "2.21.0", "0.1.0")
    private val good = BenchmarkEntry(
        model = "b0_camvid_int8", sha256 = "ab".repeat(32), precision = Precision.INT8, processor = Processor.CPU,
        runtime = "2.21.0", threads = 4, warmup = 5, runs = 50, loadMillis = 12.25,
        timings = mapOf(Phase.INPUT to Timing(1.5, 2.0, 50), Phase.INFERENCE to Timing(40.0, 44.5, 50)),
        agreement = 1.0, thermalBefore = ThermalStatus.NONE, thermalAfter = ThermalStatus.SEVERE, error = null,
    )
    private val failed = good.copy(
        model = "b0_camvid_float16", precision = Precision.FLOAT16, processor = Processor.GPU, runtime = null, threads = null,
        runs = 0, loadMillis = null, timings = emptyMap(), agreement = null, thermalBefore = null, thermalAfter = null,
        error = "no OpenCL\nstack",
    )
    private val report = BenchmarkReport(device, "2026-01-02T03:04:05Z", listOf(good, failed))

    @Test
    fun jsonRoundTrip() {
        assertEquals(report, BenchmarkReport.parse(report.toJson()))
    }

    @Test
    fun jsonHasStableNames() {
        val json = report.toJson()
        for (part in listOf("\"p50_ms\": 40.0", "\"inference\": {", "\"processor\": \"GPU\"", "\"android\": \"14\"")) {
            assertTrue("$part in $json", part in json)
        }
    }

    @Test
    fun valuesThatAreNotFiniteAreOmitted() {
        val odd = good.copy(
            loadMillis = Double.NaN,
            agreement = Double.POSITIVE_INFINITY,
            timings = mapOf(Phase.DRAW to Timing(Double.NaN, 1.0, 1)),
        )
        val back = BenchmarkReport.parse(report.copy(entries = listOf(odd)).toJson()).entries.single()
        assertEquals(good.copy(loadMillis = null, agreement = null, timings = emptyMap()), back)
    }

    @Test
    fun theTableIsAligned() {
        val lines = report.toText().trimEnd().lines()
        assertEquals(4, lines.size)
        assertTrue(lines[0], "Phone 1" in lines[0] && "API 34" in lines[0])
        assertEquals(lines[1].indexOf("processor"), lines[2].indexOf("CPU x4"))
        assertEquals(lines[1].indexOf("processor"), lines[3].indexOf("GPU"))
        assertEquals(lines[1].indexOf("p90 ms") + 6, lines[2].indexOf("44.5") + 4)
        assertTrue(lines[2], lines[2].endsWith("1.0000  thermal status SEVERE"))
        assertTrue(lines[3], lines[3].endsWith("no OpenCL"))
        assertFalse("stack" in report.toText())
    }

    @Test
    fun theTableNamesTheRuntimeOfADelegate() {
        val gpu = good.copy(processor = Processor.GPU, runtime = "2.16.1", thermalAfter = null)
        val lines = report.copy(entries = listOf(gpu, good)).toText().trimEnd().lines()
        assertTrue(lines[0], "TF Lite 2.21.0" in lines[0])
        assertTrue(lines[2], lines[2].endsWith("1.0000  TF Lite 2.16.1"))
        assertFalse(lines[3], "TF Lite" in lines[3])
    }

    @Test
    fun reportsWithoutTheRuntimeOfEntriesAreRead() {
        val older = report.toJson().replace(Regex(""" *"runtime": (null|"2.21.0"),\n(?= *"threads")"""), "")
        assertEquals(listOf(null, null), BenchmarkReport.parse(older).entries.map { it.runtime })
    }

    @Test
    fun invalidReportsAreErrors() {
        assertThrows(ModelException::class.java) { BenchmarkReport.parse("{}") }
        val broken = report.toJson().replace("\"GPU\"", "\"TPU\"")
        val error = assertThrows(ModelException::class.java) { BenchmarkReport.parse(broken) }
        assertEquals(ModelFault.BAD_FIELD, error.fault)
        assertTrue("${error.message}", "entries.processor" in error.message.orEmpty())
    }
}
