package org.kerassegformer.demo.engine

import org.kerassegformer.core.Attempt
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheck
import org.kerassegformer.demo.models.StoredModel
import java.io.IOException

/** Result of trying a processor. */
internal sealed interface TrialResult {
    /**
     * The processor may be used.
     *
     * @property check null for the CPU
     * @property loadNanos time from loading to the first labels, including compilation
     */
    class Accepted(val loaded: LoadedModel, val check: SelfCheckMeasurement?, val loadNanos: Long) : TrialResult

    /** The processor must not be used; nothing stays loaded. */
    data class Rejected(val reason: RejectionReason) : TrialResult
}

/**
 * Runs the self-check on a processor before it is used. Not thread-safe.
 *
 * Each attempt is logged in [crashLog] before the driver is loaded, so that a driver that crashes the process is known
 * at the next start.
 */
internal class ProcessorTrial(
    private val loader: ModelLoader,
    private val image: SelfCheckImage,
    private val crashLog: CrashLog,
) {
    private val references = CpuReferenceCache(loader, image, crashLog)

    /**
     * Tries [candidate].
     *
     * @param mustBeatCpu true to reject a processor that is slower than the CPU
     */
    fun attempt(model: StoredModel, candidate: Candidate, threads: Int, mustBeatCpu: Boolean): TrialResult {
        val (processor, file) = candidate
        if (crashLog.hasCrashed(processor, file)) return TrialResult.Rejected(RejectionReason.CrashedBefore)
        val result = if (processor == Processor.CPU) {
            tryCpu(model, file, threads)
        } else {
            tryAccelerator(model, candidate, threads, mustBeatCpu)
        }
        if (result is TrialResult.Rejected && processor != Processor.CPU) loader.discardPrograms(file)
        return result
    }

    /** Frees memory that can be recomputed. */
    fun freeCaches() = references.clear()

    private fun tryCpu(model: StoredModel, file: ModelFile, threads: Int): TrialResult = guarded {
        crashLog.logCpuAttempt(file) {
            val start = System.nanoTime()
            val loaded = loader.load(file, model.locationOf(file), Processor.CPU, threads)
            loaded.closeUnless<TrialResult.Accepted> {
                val labels = loaded.predict(image)
                val loadNanos = System.nanoTime() - start
                labels.invalidLabel(file)?.let(TrialResult::Rejected) ?: TrialResult.Accepted(loaded, null, loadNanos)
            }
        }
    }

    private fun tryAccelerator(
        model: StoredModel,
        candidate: Candidate,
        threads: Int,
        mustBeatCpu: Boolean,
    ): TrialResult {
        val (processor, file) = candidate
        val cpuFile = references.fileFor(model, file)
        if (crashLog.hasCrashed(Processor.CPU, cpuFile)) {
            return TrialResult.Rejected(RejectionReason.NoReference(RejectionReason.CrashedBefore))
        }
        val reference = try {
            references.of(model, cpuFile, threads)
        } catch (failure: Throwable) {
            return TrialResult.Rejected(RejectionReason.NoReference(failure.toReason()))
        }
        try {
            crashLog.begin(processor, file)
        } catch (failure: IOException) {
            return TrialResult.Rejected(RejectionReason.CrashLogUnwritable(failure.toString()))
        }
        val result = guarded {
            val start = System.nanoTime()
            val loaded = loader.load(file, model.locationOf(file), processor, threads)
            loaded.closeUnless<TrialResult.Accepted> {
                val labels = loaded.predict(image)
                val loadNanos = System.nanoTime() - start
                labels.invalidLabel(file)?.let(TrialResult::Rejected)
                    ?: judge(loaded, measure(loaded, labels, reference), loadNanos, mustBeatCpu)
            }
        }
        crashLog.end(processor, file, (result as? TrialResult.Rejected)?.reason?.toAttempt())
        return result
    }

    private fun measure(loaded: LoadedModel, labels: LabelMap, reference: CpuReference): SelfCheckMeasurement {
        val spec = loaded.file.spec
        val threshold = SelfCheck.threshold(spec, reference.file.spec)
        val result = SelfCheck.compare(labels, reference.map, spec.labelSet, threshold)
        return SelfCheckMeasurement(result, loaded.fastestRun(), reference.nanos)
    }

    private fun judge(
        loaded: LoadedModel,
        measurement: SelfCheckMeasurement,
        loadNanos: Long,
        mustBeatCpu: Boolean,
    ): TrialResult = when {
        !measurement.result.passed -> TrialResult.Rejected(RejectionReason.LabelMismatch(measurement))
        mustBeatCpu && measurement.nanos > measurement.cpuNanos ->
            TrialResult.Rejected(RejectionReason.SlowerThanCpu(measurement))
        else -> TrialResult.Accepted(loaded, measurement, loadNanos)
    }

    private fun guarded(block: () -> TrialResult): TrialResult =
        try {
            block()
        } catch (failure: Throwable) {
            TrialResult.Rejected(failure.toReason())
        }

    /** Returns the entry for the crash log; null if the reason may not apply at the next start, such as low memory. */
    private fun RejectionReason.toAttempt(): Attempt? = when (this) {
        is RejectionReason.LabelMismatch, is RejectionReason.InvalidLabel -> Attempt(Outcome.REJECTED, describe())
        is RejectionReason.InitializationFailed, is RejectionReason.TimedOut -> Attempt(Outcome.FAILED, describe())
        else -> null
    }
}

/** Closes the model unless [block] returns a [T]. */
private inline fun <reified T> LoadedModel.closeUnless(block: () -> TrialResult): TrialResult {
    var result: TrialResult? = null
    try {
        return block().also { result = it }
    } finally {
        if (result !is T) close()
    }
}
