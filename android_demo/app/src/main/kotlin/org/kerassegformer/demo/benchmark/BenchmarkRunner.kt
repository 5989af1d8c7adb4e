package org.kerassegformer.demo.benchmark

import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.StoredModel

/**
 * What to measure.
 *
 * @property models the models, each on each of the [processors] that it has a file for
 * @property threads threads of the CPU
 * @property warmUp runs before the measured ones
 * @property runs measured runs
 */
internal data class BenchmarkPlan(
    val models: List<StoredModel>,
    val processors: List<Processor> = Processor.entries,
    val threads: Int,
    val warmUp: Int = BenchmarkRequest.WARM_UP,
    val runs: Int = BenchmarkRequest.RUNS,
)

/**
 * Measures models on processors. [run] blocks: call it from a thread of your own, with no engine running beside it.
 */
internal interface BenchmarkRunner {
    /**
     * Measures all of [plan]. A processor that is refused or fails has its reason in the report; the rest is measured.
     *
     * @param progress called before each measurement and after each run
     * @param isCancelled asked between runs; when true, the report of what was measured so far is returned
     */
    fun run(plan: BenchmarkPlan, progress: (BenchmarkProgress) -> Unit, isCancelled: () -> Boolean): BenchmarkReport
}

/**
 * How far a benchmark is.
 *
 * @property done runs done of all measurements
 * @property total runs to do of all measurements
 */
internal data class BenchmarkProgress(val model: String, val processor: Processor, val done: Int, val total: Int)
