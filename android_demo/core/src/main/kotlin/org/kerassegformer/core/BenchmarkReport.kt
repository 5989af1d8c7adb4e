package org.kerassegformer.core

/**
 * The device that a benchmark ran on.
 *
 * @property runtime version of TF Lite on the CPU; see [BenchmarkEntry.runtime] for the other processors
 */
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
 * Result of a model on a processor: [timings] of its runs, or an [error].
 *
 * @property runtime version of TF Lite that ran it; null if it did not run, or the version is unknown
 * @property threads CPU threads; null for accelerators
 * @property loadMillis time from loading to the first labels, including compilation
 * @property agreement share 0..1 of the labels of the self-check image that match the CPU's; null if not compared
 * @property error null on success
 */
public data class BenchmarkEntry(
    public val model: String,
    public val sha256: String,
    public val precision: Precision,
    public val processor: Processor,
    public val runtime: String?,
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
 * Results of a benchmark.
 *
 * @property startedAt ISO 8601, UTC
 */
public data class BenchmarkReport(
    public val device: DeviceInfo,
    public val startedAt: String,
    public val entries: List<BenchmarkEntry>,
) {
    /** Returns indented JSON. Values that are not finite are omitted, as JSON cannot represent them. */
    public fun toJson(): String = BenchmarkJson.write(this)

    /** Returns a plain-text table with one line per entry. */
    public fun toText(): String = BenchmarkTable.write(this)

    public companion object {
        /**
         * Parses the output of [toJson].
         *
         * @throws ModelException [ModelFault.NOT_JSON], [ModelFault.MISSING_FIELD] or [ModelFault.BAD_FIELD]
         */
        public fun parse(json: String): BenchmarkReport = BenchmarkJson.read(json)
    }
}
