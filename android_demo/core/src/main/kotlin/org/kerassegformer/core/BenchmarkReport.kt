package org.kerassegformer.core

/** Where a benchmark ran. */
public data class DeviceInfo(
    public val manufacturer: String,
    public val model: String,
    public val hardware: String,
    public val androidRelease: String,
    public val sdk: Int,
    public val abi: String,
    public val cores: Int,
    public val runtime: String,
    public val app: String,
)

/**
 * A model on a processor: [timings] of its runs, or why there are none.
 *
 * @property threads of the CPU; null for accelerators
 * @property loadMillis until the first label, compilation included
 * @property agreement with the CPU on the picture of the self-check, 0..1; null where not compared
 * @property error null where all went well
 */
public data class BenchmarkEntry(
    public val model: String,
    public val sha256: String,
    public val precision: Precision,
    public val processor: Processor,
    public val threads: Int?,
    public val warmup: Int,
    public val runs: Int,
    public val loadMillis: Double?,
    public val timings: Map<Phase, Timing>,
    public val agreement: Double?,
    public val thermalBefore: ThermalStatus?,
    public val thermalAfter: ThermalStatus?,
    public val error: String?,
)

/**
 * What a benchmark measured.
 *
 * @property startedAt ISO 8601 in UTC
 */
public data class BenchmarkReport(
    public val device: DeviceInfo,
    public val startedAt: String,
    public val entries: List<BenchmarkEntry>,
) {
    /** Indented JSON; figures that are not finite are left out, as JSON has none. */
    public fun toJson(): String = BenchmarkJson.write(this)

    /** A table for people, a line for an entry. */
    public fun toText(): String = BenchmarkTable.write(this)

    public companion object {
        /**
         * Reads what [toJson] wrote.
         *
         * @throws ModelException [ModelFault.NOT_JSON], [ModelFault.MISSING_FIELD] or [ModelFault.BAD_FIELD]
         */
        public fun parse(json: String): BenchmarkReport = BenchmarkJson.read(json)
    }
}
