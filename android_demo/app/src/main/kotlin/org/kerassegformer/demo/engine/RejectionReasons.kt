package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.ProcessorPlan
import org.kerassegformer.core.SkipReason
import org.kerassegformer.core.Skipped
import java.util.Locale

/** Converts an exception during the self-check. */
internal fun Throwable.toReason(): RejectionReason = when (this) {
    is CallTimeoutException -> RejectionReason.TimedOut(limitMillis)
    is OutOfMemoryError -> RejectionReason.OutOfMemory
    else -> RejectionReason.InitializationFailed(message ?: toString())
}

/** Converts an exception of a processor in use. */
internal fun Throwable.toReasonInUse(): RejectionReason = when (this) {
    is CallTimeoutException -> RejectionReason.TimedOutInUse(limitMillis)
    is OutOfMemoryError -> RejectionReason.OutOfMemory
    else -> RejectionReason.FailedInUse(message ?: toString())
}

/** Returns the first label that is out of range for the classes of [file], or null. */
internal fun LabelMap.invalidLabel(file: ModelFile): RejectionReason.InvalidLabel? {
    val classes = file.spec.labelSet.size
    // Places that the model is not sure of have the ignore index.
    val ignored = file.spec.labelSet.ignoreIndex.takeIf { file.spec.output.kind == OutputKind.LOGITS }
    return labels.firstOrNull { it !in 0 until classes && it != ignored }?.let { RejectionReason.InvalidLabel(it, classes) }
}

/** The processors that the policy skips, except those that the user did not select. */
internal fun ProcessorPlan.rejections(): List<Rejection> =
    skipped.mapNotNull { skip -> skip.toReason()?.let { Rejection(skip.processor, it) } }

private fun Skipped.toReason(): RejectionReason? = when (reason) {
    SkipReason.NOT_CHOSEN -> null
    SkipReason.NO_FILE -> RejectionReason.NoModelFile
    SkipReason.ANDROID_VERSION -> RejectionReason.AndroidVersion
    SkipReason.UNSUPPORTED -> RejectionReason.Unsupported(detail)
    SkipReason.CRASHED_BEFORE -> RejectionReason.CrashedBefore
    SkipReason.FAILED_BEFORE -> RejectionReason.FailedBefore(detail)
    SkipReason.REJECTED_BEFORE -> RejectionReason.RejectedBefore(detail)
}

/** Describes the reason in English, for reports and the crash log; the screens have translated texts. */
internal fun RejectionReason.describe(): String = when (this) {
    RejectionReason.NoModelFile -> "The model has no file for this processor."
    RejectionReason.AndroidVersion -> "This Android version has no NNAPI for accelerators."
    is RejectionReason.Unsupported -> detail
    RejectionReason.CrashedBefore -> "An earlier attempt crashed the app."
    is RejectionReason.FailedBefore -> detail
    is RejectionReason.RejectedBefore -> detail
    is RejectionReason.InitializationFailed -> detail
    RejectionReason.OutOfMemory -> "There is not enough memory."
    is RejectionReason.TimedOut -> "No response within $limitMillis ms."
    is RejectionReason.LabelMismatch -> measurement.result.detail
    is RejectionReason.NoReference -> "The self-check has no reference, as the CPU failed: ${cpu.describe()}"
    is RejectionReason.CrashLogUnwritable -> "Not tried, as the crash log cannot be written: $detail"
    is RejectionReason.InvalidLabel -> "It returned the label $label, but the model has $classes classes."
    is RejectionReason.SlowerThanCpu ->
        "It takes ${millis(measurement.nanos)} ms, the CPU ${millis(measurement.cpuNanos)} ms."
    is RejectionReason.FailedInUse -> detail
    is RejectionReason.TimedOutInUse -> "It stopped responding within $limitMillis ms."
}

private fun millis(nanos: Long): String = String.format(Locale.ROOT, "%.1f", nanos / 1e6)
