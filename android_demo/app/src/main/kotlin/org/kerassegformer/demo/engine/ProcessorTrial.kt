package org.kerassegformer.demo.engine

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import org.kerassegformer.core.Attempt
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.PassedCheck
import org.kerassegformer.core.PassedChecks
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ReferenceStore
import org.kerassegformer.core.SelfCheck
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.demo.models.StoredModel
import java.io.IOException

/** Result of trying a processor. */
internal sealed interface TrialResult {
    /**
     * The processor may be used.
     *
     * @property check null for the CPU
     * @property loadNanos time from loading to the first labels, including compilation; without labels if an earlier
     *     check is trusted
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
 * at the next start. For the same reason an attempt is never cancelled: its end must be logged too. Checks that
 * accelerators passed are remembered in [passes].
 *
 * @param causeOf returns why the process with this ID ended
 */
internal class ProcessorTrial(
    private val loader: ModelLoader,
    private val image: SelfCheckImage,
    private val crashLog: CrashLog,
    store: ReferenceStore,
    private val passes: PassedChecks,
    private val causeOf: (process: Int) -> ExitCause,
) {
    private val references = CpuReferenceCache(loader, image, crashLog, store)

    /** Finds out which processors earlier processes ended with. Reads files: call it before anything else. */
    fun resolveInterrupted() {
        crashLog.resolveInterrupted(causeOf)
        passes.resolveInterrupted(causeOf)
    }

    /**
     * Tries [candidate].
     *
     * @param mustBeatCpu true to reject a processor that is slower than the CPU
     * @param trustsPasses true to use a processor that has passed the check before without repeating it
     */
    suspend fun attempt(
        model: StoredModel,
        candidate: Candidate,
        threads: Int,
        mustBeatCpu: Boolean,
        trustsPasses: Boolean,
    ): TrialResult = withContext(NonCancellable) {
        val (processor, file) = candidate
        when {
            processor == Processor.CPU -> attemptCpu(model, file, threads, isReference = false)
            crashLog.hasCrashed(processor, file) -> TrialResult.Rejected(RejectionReason.CrashedBefore)
            else -> tryAccelerator(model, candidate, threads, mustBeatCpu, trustsPasses)
                .also { if (it is TrialResult.Rejected) distrust(candidate) }
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
    suspend fun recheck(
        processor: Processor,
        loaded: LoadedModel,
        reference: CpuReference,
        nanos: Long,
    ): RejectionReason? = try {
        val labels = loaded.predict(image)
        labels.invalidLabel(loaded.file) ?: run {
            val measurement = measure(loaded.file, labels, reference, nanos)
            if (measurement.result.passed) remember(Candidate(processor, loaded.file), reference, measurement)
            measurement.takeUnless { it.result.passed }?.let(RejectionReason::LabelMismatch)
        }
    } catch (closed: CancellationException) {
        throw closed
    } catch (failure: Throwable) {
        failure.toReasonInUse()
    }

    /** [candidate] is in use until [endUse]: if the process ends meanwhile, an earlier check is not trusted again. */
    fun startUse(candidate: Candidate) {
        if (candidate.processor != Processor.CPU) passes.startUse(candidate)
    }

    /** See [startUse]. */
    fun endUse(candidate: Candidate) {
        if (candidate.processor != Processor.CPU) passes.endUse(candidate)
    }

    /** Forgets which processors failed and which ones passed, so that all are tried and checked. */
    fun forgetAll() {
        crashLog.clear()
        passes.clear()
    }

    /** Logs why a processor failed in use, if it must not be tried at the next start; otherwise it is checked then. */
    fun logFailure(processor: Processor, file: ModelFile, reason: RejectionReason) {
        passes.forget(Candidate(processor, file))
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
        trustsPasses: Boolean,
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
        val trusted = if (trustsPasses) passed(candidate, reference, mustBeatCpu) else null
        try {
            crashLog.begin(processor, file)
        } catch (failure: IOException) {
            return TrialResult.Rejected(RejectionReason.CrashLogUnwritable(failure.toString()))
        }
        val result = guarded {
            val start = System.nanoTime()
            val loaded = loader.load(file, model.locationOf(file), processor, threads)
            loaded.closeUnless<TrialResult.Accepted> {
                trusted?.let { TrialResult.Accepted(loaded, it, System.nanoTime() - start, reference) }
                    ?: check(loaded, processor, reference, start, mustBeatCpu)
            }
        }
        crashLog.end(processor, file, (result as? TrialResult.Rejected)?.reason?.toAttempt())
        return result
    }

    /** Compares the labels of a model that is loaded since [start], in nanoseconds, with the CPU's. */
    private suspend fun check(
        loaded: LoadedModel,
        processor: Processor,
        reference: CpuReference,
        start: Long,
        mustBeatCpu: Boolean,
    ): TrialResult {
        val labels = loaded.predict(image)
        val loadNanos = System.nanoTime() - start
        labels.invalidLabel(loaded.file)?.let { return TrialResult.Rejected(it) }
        val measurement = measure(loaded.file, labels, reference, loaded.fastestRun())
        measurement.fault(mustBeatCpu)?.let { return TrialResult.Rejected(it) }
        remember(Candidate(processor, loaded.file), reference, measurement)
        return TrialResult.Accepted(loaded, measurement, loadNanos, reference)
    }

    /** Returns the check that [candidate] passed earlier, if it would be accepted by it today. */
    private fun passed(candidate: Candidate, reference: CpuReference, mustBeatCpu: Boolean): SelfCheckMeasurement? {
        val pass = passes.find(candidate, reference.file) ?: return null
        val threshold = SelfCheck.threshold(candidate.file.spec, reference.file.spec)
        val result = SelfCheckResult(pass.agreement, threshold, vanished = emptyList())
        return SelfCheckMeasurement(result, pass.nanos, reference.nanos).takeIf { it.fault(mustBeatCpu) == null }
    }

    private fun remember(candidate: Candidate, reference: CpuReference, measurement: SelfCheckMeasurement) =
        passes.remember(candidate, reference.file, PassedCheck(measurement.result.agreement, measurement.nanos))

    /** A compiled program that is corrupt may be the cause of a failure. */
    private fun distrust(candidate: Candidate) {
        passes.forget(candidate)
        loader.discardPrograms(candidate.file)
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

    private fun SelfCheckMeasurement.fault(mustBeatCpu: Boolean): RejectionReason? = when {
        !result.passed -> RejectionReason.LabelMismatch(this)
        mustBeatCpu && nanos > cpuNanos -> RejectionReason.SlowerThanCpu(this)
        else -> null
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
