package org.kerassegformer.demo.engine

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import org.kerassegformer.core.Attempt
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ReferenceStore
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
     * @property reference what the labels were compared with; null for the CPU
     */
    class Accepted(
        val loaded: LoadedModel,
        val check: SelfCheckMeasurement?,
        val loadNanos: Long,
        val reference: CpuReference? = null,
    ) : TrialResult

    /** The processor must not be used; nothing stays loaded. */
    data class Rejected(val reason: RejectionReason) : TrialResult
}

/**
 * Runs the self-check on a processor before it is used. [attemptCpu] and [recheck] may run beside [attempt].
 *
 * Each attempt is logged in [crashLog] before the driver is loaded, so that a driver that crashes the process is known
 * at the next start. For the same reason an attempt is never cancelled: its end must be logged too.
 */
internal class ProcessorTrial(
    private val loader: ModelLoader,
    private val image: SelfCheckImage,
    private val crashLog: CrashLog,
    store: ReferenceStore,
) {
    private val references = CpuReferenceCache(loader, image, crashLog, store)

    /**
     * Tries [candidate].
     *
     * @param mustBeatCpu true to reject a processor that is slower than the CPU
     */
    suspend fun attempt(
        model: StoredModel,
        candidate: Candidate,
        threads: Int,
        mustBeatCpu: Boolean,
    ): TrialResult = withContext(NonCancellable) {
        val (processor, file) = candidate
        when {
            processor == Processor.CPU -> attemptCpu(model, file, threads, isReference = false)
            crashLog.hasCrashed(processor, file) -> TrialResult.Rejected(RejectionReason.CrashedBefore)
            else -> tryAccelerator(model, candidate, threads, mustBeatCpu)
                .also { if (it is TrialResult.Rejected) loader.discardPrograms(file) }
        }
    }

    /** Tries the CPU. @param isReference true if accelerators will be compared with it */
    suspend fun attemptCpu(model: StoredModel, file: ModelFile, threads: Int, isReference: Boolean): TrialResult {
        if (crashLog.hasCrashed(Processor.CPU, file)) return TrialResult.Rejected(RejectionReason.CrashedBefore)
        return withContext(NonCancellable) {
            guarded { crashLog.logCpuAttempt(file) { tryCpu(model, file, threads, isReference) } }
        }
    }

    /**
     * Repeats the self-check on an accelerator in use, which costs one run.
     *
     * @param nanos duration of one run as measured before
     * @return why it must not be used any longer, or null
     */
    suspend fun recheck(loaded: LoadedModel, reference: CpuReference, nanos: Long): RejectionReason? = try {
        val labels = loaded.predict(image)
        labels.invalidLabel(loaded.file)
            ?: measure(loaded.file, labels, reference, nanos).takeUnless { it.result.passed }?.let(RejectionReason::LabelMismatch)
    } catch (closed: CancellationException) {
        throw closed
    } catch (failure: Throwable) {
        failure.toReasonInUse()
    }

    /** Logs why a processor failed in use, if it must not be tried at the next start. */
    fun logFailure(processor: Processor, file: ModelFile, reason: RejectionReason) {
        val isWrong = reason is RejectionReason.LabelMismatch || reason is RejectionReason.InvalidLabel
        if (isWrong && processor != Processor.CPU) crashLog.end(processor, file, reason.toAttempt())
    }

    /** Frees memory that can be recomputed. */
    suspend fun freeCaches() = references.clear()

    private suspend fun tryCpu(model: StoredModel, file: ModelFile, threads: Int, isReference: Boolean): TrialResult {
        val start = System.nanoTime()
        val loaded = loader.load(file, model.locationOf(file), Processor.CPU, threads)
        return loaded.closeUnless<TrialResult.Accepted> {
            val labels = loaded.predict(image)
            val loadNanos = System.nanoTime() - start
            labels.invalidLabel(file)?.let(TrialResult::Rejected) ?: run {
                if (isReference) references.offer(loaded, threads, labels)
                TrialResult.Accepted(loaded, null, loadNanos)
            }
        }
    }

    private suspend fun tryAccelerator(
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
                    ?: judge(
                        loaded,
                        reference,
                        measure(file, labels, reference, loaded.fastestRun()),
                        loadNanos,
                        mustBeatCpu,
                    )
            }
        }
        crashLog.end(processor, file, (result as? TrialResult.Rejected)?.reason?.toAttempt())
        return result
    }

    private fun measure(
        file: ModelFile,
        labels: LabelMap,
        reference: CpuReference,
        nanos: Long,
    ): SelfCheckMeasurement {
        val threshold = SelfCheck.threshold(file.spec, reference.file.spec)
        val result = SelfCheck.compare(labels, reference.map, file.spec.labelSet, threshold)
        return SelfCheckMeasurement(result, nanos, reference.nanos)
    }

    private fun judge(
        loaded: LoadedModel,
        reference: CpuReference,
        measurement: SelfCheckMeasurement,
        loadNanos: Long,
        mustBeatCpu: Boolean,
    ): TrialResult = when {
        !measurement.result.passed -> TrialResult.Rejected(RejectionReason.LabelMismatch(measurement))
        mustBeatCpu && measurement.nanos > measurement.cpuNanos ->
            TrialResult.Rejected(RejectionReason.SlowerThanCpu(measurement))
        else -> TrialResult.Accepted(loaded, measurement, loadNanos, reference)
    }

    private inline fun guarded(block: () -> TrialResult): TrialResult =
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

/**
 * Decides when an accelerator in use repeats the self-check: a driver may start to fail when the phone gets hot or
 * memory is short.
 *
 * @param intervalNanos time between two checks
 * @param now a monotonic clock in nanoseconds
 */
internal class RecheckSchedule(
    private val intervalNanos: Long = 5 * 60 * 1_000_000_000L,
    private val now: () -> Long = System::nanoTime,
) {
    private var last = now()

    /** A self-check has just passed. */
    fun restart() {
        last = now()
    }

    /** Returns true once per interval. */
    fun isDue(): Boolean {
        if (now() - last < intervalNanos) return false
        restart()
        return true
    }
}
