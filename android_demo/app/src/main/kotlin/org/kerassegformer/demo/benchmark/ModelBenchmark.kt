package org.kerassegformer.demo.benchmark

import android.content.Context
import android.os.Build
import java.time.Instant
import java.time.temporal.ChronoUnit
import kotlinx.coroutines.CancellationException
import org.kerassegformer.core.BenchmarkEntry
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.DeviceInfo
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.demo.engine.LoadedModel
import org.kerassegformer.demo.engine.ProcessorTrial
import org.kerassegformer.demo.engine.SelfCheckImage
import org.kerassegformer.demo.engine.ThermalMonitor
import org.kerassegformer.demo.engine.TrialResult
import org.kerassegformer.demo.engine.describe
import org.kerassegformer.demo.engine.rejections
import org.kerassegformer.demo.engine.toReasonInUse
import org.kerassegformer.demo.models.StoredModel

/** Measures processors after the same [ProcessorTrial] as the engine, with the same protection against crashes. */
internal class ModelBenchmark(
    private val trial: ProcessorTrial,
    private val policy: DelegatePolicy,
    private val crashLog: CrashLog,
    private val image: SelfCheckImage,
    private val thermalMonitor: ThermalMonitor,
    private val device: DeviceInfo,
) : BenchmarkRunner {
    override suspend fun run(
        plan: BenchmarkPlan,
        progress: (BenchmarkProgress) -> Unit,
        isCancelled: () -> Boolean,
    ): BenchmarkReport {
        trial.resolveInterrupted()
        val startedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()
        val tasks = plan.tasks()
        val meter = Meter(plan, tasks.size, progress, isCancelled)
        val entries = tasks.mapNotNull { task -> if (isCancelled()) null else measure(plan, task, meter) }
        trial.freeCaches()
        return BenchmarkReport(device, startedAt, entries)
    }

    /** @return null if cancelled */
    private suspend fun measure(plan: BenchmarkPlan, task: Task, meter: Meter): BenchmarkEntry? {
        meter.begin(task)
        val before = thermalMonitor.current()
        val outcome = candidateOf(task)?.let { attempt(plan, task, it, meter) } ?: Outcome(error = whyNot(task))
        meter.end()
        if (outcome.cancelled) return null
        return BenchmarkEntry(
            model = task.file.stem,
            sha256 = task.file.spec.sha256,
            precision = task.file.spec.precision,
            processor = task.processor,
            runtime = outcome.runtime,
            threads = plan.threads.takeIf { task.processor == Processor.CPU },
            warmup = plan.warmUp,
            runs = plan.runs,
            loadMillis = outcome.loadNanos?.let { it / NANOS_PER_MILLI },
            timings = outcome.stats?.summary()?.timings.orEmpty(),
            agreement = outcome.agreement,
            thermalBefore = before,
            thermalAfter = thermalMonitor.current(),
            error = outcome.error,
        )
    }

    private suspend fun attempt(plan: BenchmarkPlan, task: Task, candidate: Candidate, meter: Meter): Outcome =
        when (val result = trial.attempt(task.model, candidate, plan.threads, mustBeatCpu = false, trustsPasses = false)) {
            is TrialResult.Rejected -> Outcome(error = result.reason.describe())
            is TrialResult.Accepted -> result.loaded.use {
                val outcome = Outcome(
                    loadNanos = result.loadNanos,
                    agreement = result.check?.result?.agreement,
                    runtime = it.runtime?.toString(),
                )
                try {
                    outcome.copy(stats = meter.time(it))
                } catch (_: StoppedException) {
                    outcome.copy(cancelled = true)
                } catch (cancelled: CancellationException) {
                    throw cancelled
                } catch (failure: Throwable) {
                    outcome.copy(error = failure.toReasonInUse().describe())
                }
            }
        }

    private fun candidateOf(task: Task): Candidate? =
        planOf(task).candidates.firstOrNull { it.processor == task.processor }

    private fun whyNot(task: Task): String =
        planOf(task).rejections().firstOrNull { it.processor == task.processor }?.reason?.describe()
            ?: "Skipped."

    private fun planOf(task: Task) = policy.plan(task.model.set, task.processor.asChoice(), crashLog)

    private fun BenchmarkPlan.tasks(): List<Task> = models.flatMap { model ->
        processors.mapNotNull { processor -> model.set.fileFor(processor)?.let { Task(model, it, processor) } }
    }

    private fun Processor.asChoice() = ProcessorChoice.entries.first { it.processor == this }

    private class Task(val model: StoredModel, val file: ModelFile, val processor: Processor)

    private data class Outcome(
        val loadNanos: Long? = null,
        val stats: LatencyStats? = null,
        val agreement: Double? = null,
        val runtime: String? = null,
        val error: String? = null,
        val cancelled: Boolean = false,
    )

    private class StoppedException : Exception()

    /** Runs models, counts the runs and reports progress. */
    private inner class Meter(
        private val plan: BenchmarkPlan,
        tasks: Int,
        private val progress: (BenchmarkProgress) -> Unit,
        private val isCancelled: () -> Boolean,
    ) {
        private val runsOfTask = plan.warmUp + plan.runs
        private val total = tasks * runsOfTask
        private var finished = 0
        private var task: Task? = null

        fun begin(next: Task) {
            task = next
            report(finished * runsOfTask)
        }

        /** Ends a task, whether or not it ran. */
        fun end() {
            finished++
            report(finished * runsOfTask)
        }

        suspend fun time(loaded: LoadedModel): LatencyStats {
            val map = loaded.newMap()
            repeat(plan.warmUp) { step(it) { record(loaded, map, null) } }
            val stats = LatencyStats(plan.runs)
            repeat(plan.runs) { step(plan.warmUp + it) { record(loaded, map, stats) } }
            return stats
        }

        private inline fun step(index: Int, run: () -> Unit) {
            if (isCancelled()) throw StoppedException()
            run()
            report(finished * runsOfTask + index + 1)
        }

        private suspend fun record(loaded: LoadedModel, map: LabelMap, stats: LatencyStats?) {
            val start = System.nanoTime()
            image.writeTo(loaded.input, loaded.file.spec.input)
            val ready = System.nanoTime()
            val inference = loaded.run()
            val computed = System.nanoTime()
            loaded.read(map)
            val read = System.nanoTime()
            stats?.record(Phase.INPUT, ready - start)
            stats?.record(Phase.INFERENCE, inference)
            stats?.record(Phase.OUTPUT, read - computed)
        }

        private fun report(done: Int) {
            val current = task ?: return
            progress(BenchmarkProgress(current.file.stem, current.processor, done, total))
        }
    }

    private companion object {
        const val NANOS_PER_MILLI = 1e6
    }
}

/** Describes this phone and the version of TF Lite for the CPU, [runtime], for reports. */
internal fun currentDevice(context: Context, runtime: RuntimeVersion?): DeviceInfo = DeviceInfo(
    manufacturer = Build.MANUFACTURER,
    model = Build.MODEL,
    hardware = Build.HARDWARE,
    androidRelease = Build.VERSION.RELEASE,
    sdk = Build.VERSION.SDK_INT,
    abi = Build.SUPPORTED_ABIS.firstOrNull().orEmpty(),
    cores = Runtime.getRuntime().availableProcessors(),
    runtime = runtime?.toString() ?: "unknown",
    app = context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty(),
)
