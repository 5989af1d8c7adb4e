package org.kerassegformer.demo.benchmark

import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.StoredModel

/**
 * Plan of a benchmark.
 *
 * @property models models to measure on each of the [processors] that they have a file for
 * @property threads number of CPU threads
 * @property warmUp number of warm-up runs
 * @property runs number of timed runs
 */
internal data class BenchmarkPlan(
    val models: List<StoredModel>,
    val processors: List<Processor> = Processor.entries,
    val threads: Int,
    val warmUp: Int = BenchmarkRequest.WARM_UP,
    val runs: Int = BenchmarkRequest.RUNS,
)

/**
 * Measures models on processors. Not on the main thread, and while no engine is running.
 */
internal interface BenchmarkRunner {
    /**
     * Runs [plan]. The report contains the reason for each processor that is rejected or fails; the others are
     * measured.
     *
     * @param progress called before each measurement and after each run
     * @param isCancelled checked between runs; if true, the report of the completed measurements is returned
     */
    suspend fun run(
        plan: BenchmarkPlan,
        progress: (BenchmarkProgress) -> Unit,
        isCancelled: () -> Boolean,
    ): BenchmarkReport
}

/**
 * Progress of a benchmark.
 *
 * @property done completed runs of all measurements
 * @property total total number of runs of all measurements
 */
internal data class BenchmarkProgress(val model: String, val processor: Processor, val done: Int, val total: Int)
