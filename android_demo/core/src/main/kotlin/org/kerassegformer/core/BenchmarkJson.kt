package org.kerassegformer.core

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.add
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import kotlinx.serialization.json.putJsonArray
import kotlinx.serialization.json.putJsonObject

/** Serialises a [BenchmarkReport] to JSON and back. */
internal object BenchmarkJson {
    private const val REMEDY = "run the benchmark again."
    private val FORMAT = Json { prettyPrint = true }
    private val ANY_COUNT = 0L..Int.MAX_VALUE.toLong()
    private val ANY_TIME = 0.0..Double.MAX_VALUE

    fun write(report: BenchmarkReport): String = FORMAT.encodeToString(
        JsonObject.serializer(),
        buildJsonObject {
            put("device", device(report.device))
            put("started_at", report.startedAt)
            putJsonArray("entries") { report.entries.forEach { add(entry(it)) } }
        },
    )

    fun read(json: String): BenchmarkReport {
        val content = JsonFields.parse(json, REMEDY)
        return BenchmarkReport(
            device = readDevice(content.fields("device")),
            startedAt = content.text("started_at"),
            entries = content.list("entries").map(::readEntry),
        )
    }

    private fun device(device: DeviceInfo) = buildJsonObject {
        put("manufacturer", device.manufacturer)
        put("model", device.model)
        put("hardware", device.hardware)
        put("android", device.androidRelease)
        put("sdk", device.sdk)
        put("abi", device.abi)
        put("cores", device.cores)
        put("runtime", device.runtime)
        put("app", device.app)
    }

    private fun readDevice(fields: JsonFields) = DeviceInfo(
        manufacturer = fields.text("manufacturer"),
        model = fields.text("model"),
        hardware = fields.text("hardware"),
        androidRelease = fields.text("android"),
        sdk = fields.integer("sdk", ANY_COUNT).toInt(),
        abi = fields.text("abi"),
        cores = fields.integer("cores", ANY_COUNT).toInt(),
        runtime = fields.text("runtime"),
        app = fields.text("app"),
    )

    private fun entry(entry: BenchmarkEntry) = buildJsonObject {
        put("model", entry.model)
        put("sha256", entry.sha256)
        put("precision", entry.precision.json)
        put("processor", entry.processor.name)
        put("runtime", entry.runtime)
        put("threads", entry.threads)
        put("warmup", entry.warmup)
        put("runs", entry.runs)
        put("load_ms", finite(entry.loadMillis))
        putJsonObject("phases") {
            for ((phase, timing) in entry.timings) {
                if (!timing.p50.isFinite() || !timing.p90.isFinite()) continue
                putJsonObject(phase.name.lowercase()) {
                    put("p50_ms", timing.p50)
                    put("p90_ms", timing.p90)
                    put("count", timing.count)
                }
            }
        }
        put("agreement", finite(entry.agreement))
        put("thermal_before", entry.thermalBefore?.name)
        put("thermal_after", entry.thermalAfter?.name)
        put("error", entry.error)
    }

    private fun readEntry(fields: JsonFields) = BenchmarkEntry(
        model = fields.text("model"),
        sha256 = fields.text("sha256"),
        precision = fields.choice("precision", Precision.entries) { it.json },
        processor = fields.choice("processor", Processor.entries) { it.name },
        runtime = fields.optionalText("runtime"),
        threads = fields.takeIf { it.has("threads") }?.integer("threads", ANY_COUNT)?.toInt(),
        warmup = fields.integer("warmup", ANY_COUNT).toInt(),
        runs = fields.integer("runs", ANY_COUNT).toInt(),
        loadMillis = fields.takeIf { it.has("load_ms") }?.number("load_ms", ANY_TIME),
        timings = readPhases(fields.fields("phases")),
        agreement = fields.takeIf { it.has("agreement") }?.number("agreement", 0.0..1.0),
        thermalBefore = readStatus(fields, "thermal_before"),
        thermalAfter = readStatus(fields, "thermal_after"),
        error = fields.optionalText("error"),
    )

    private fun readPhases(fields: JsonFields): Map<Phase, Timing> =
        Phase.entries.filter { fields.has(it.name.lowercase()) }.associateWith {
            val timing = fields.fields(it.name.lowercase())
            Timing(
                timing.number("p50_ms", ANY_TIME),
                timing.number("p90_ms", ANY_TIME),
                timing.integer("count", ANY_COUNT).toInt(),
            )
        }

    private fun readStatus(fields: JsonFields, name: String): ThermalStatus? =
        if (fields.has(name)) fields.choice(name, ThermalStatus.entries) { it.name } else null

    private fun finite(value: Double?): Double? = value?.takeIf { it.isFinite() }
}
