package org.kerassegformer.core

import java.util.Locale

/** Formats a [BenchmarkReport] as a plain-text table. */
internal object BenchmarkTable {
    private val HEADER = listOf(
        "model", "processor", "runs", "input ms", "inference ms", "p90 ms", "output ms", "load ms", "agreement",
        "remark",
    )
    private const val FIRST_FIGURE = 2

    fun write(report: BenchmarkReport): String {
        val device = report.device
        val rows = listOf(HEADER) + report.entries.map { row(it, device.runtime) }
        val widths = HEADER.indices.map { column -> rows.maxOf { it[column].length } }
        val table = rows.joinToString("\n") { row ->
            row.mapIndexed { column, cell -> aligned(column, cell, widths[column]) }.joinToString("  ").trimEnd()
        }
        return "${device.manufacturer} ${device.model} (${device.hardware}, ${device.abi}, ${device.cores} cores), " +
            "Android ${device.androidRelease} (API ${device.sdk}), TF Lite ${device.runtime}, app ${device.app}, " +
            "${report.startedAt}\n$table\n"
    }

    private fun row(entry: BenchmarkEntry, cpuRuntime: String): List<String> {
        val threads = entry.threads?.let { " x$it" }.orEmpty()
        return listOf(
            entry.model,
            entry.processor.name + threads,
            entry.runs.toString(),
            figure(entry.timings[Phase.INPUT]?.p50),
            figure(entry.timings[Phase.INFERENCE]?.p50),
            figure(entry.timings[Phase.INFERENCE]?.p90),
            figure(entry.timings[Phase.OUTPUT]?.p50),
            figure(entry.loadMillis),
            entry.agreement?.let { String.format(Locale.ROOT, "%.4f", it) } ?: "-",
            remark(entry, cpuRuntime),
        )
    }

    private fun remark(entry: BenchmarkEntry, cpuRuntime: String): String {
        val runtime = entry.runtime?.takeIf { it != cpuRuntime }?.let { "TF Lite $it" }
        val throttled = entry.thermalAfter?.takeIf { it > ThermalStatus.MODERATE }?.let { "thermal status ${it.name}" }
        return listOfNotNull(entry.error?.lineSequence()?.first(), throttled, runtime).joinToString("; ")
    }

    private fun figure(value: Double?): String = value?.let { String.format(Locale.ROOT, "%.1f", it) } ?: "-"

    private fun aligned(column: Int, cell: String, width: Int): String =
        if (column in FIRST_FIGURE until HEADER.lastIndex) cell.padStart(width) else cell.padEnd(width)
}
