package org.kerassegformer.demo.engine

import org.kerassegformer.core.ProcessorPlan
import org.kerassegformer.core.SkipReason
import org.kerassegformer.core.Skipped
import java.util.Locale

/** What a failure while a processor is tried means. */
internal fun Throwable.toReason(): RefusalReason = when (this) {
    is HungException -> RefusalReason.Hung(limitMillis)
    is OutOfMemoryError -> RefusalReason.OutOfMemory
    else -> RefusalReason.NotBuilt(message ?: toString())
}

/** What a failure of a processor that was in use means. */
internal fun Throwable.toLaterReason(): RefusalReason = when (this) {
    is HungException -> RefusalReason.HungLater(limitMillis)
    is OutOfMemoryError -> RefusalReason.OutOfMemory
    else -> RefusalReason.FailedLater(message ?: toString())
}

/** The processors that the policy leaves out, but for those that the user did not choose. */
internal fun ProcessorPlan.refusals(): List<Refusal> =
    skipped.mapNotNull { skip -> skip.toReason()?.let { Refusal(skip.processor, it) } }

private fun Skipped.toReason(): RefusalReason? = when (reason) {
    SkipReason.NOT_CHOSEN -> null
    SkipReason.NO_FILE -> RefusalReason.NoModelFile
    SkipReason.ANDROID_VERSION -> RefusalReason.AndroidVersion
    SkipReason.UNSUPPORTED -> RefusalReason.Unsupported(detail)
    SkipReason.CRASHED_BEFORE -> RefusalReason.EndedTheApp
    SkipReason.FAILED_BEFORE -> RefusalReason.FailedBefore(detail)
    SkipReason.REFUSED_BEFORE -> RefusalReason.RefusedBefore(detail)
}

/** The reason in English, for reports and notes on disk; screens have words of their own. */
internal fun RefusalReason.describe(): String = when (this) {
    RefusalReason.NoModelFile -> "The model has no file for this processor."
    RefusalReason.AndroidVersion -> "This version of Android has no NNAPI that computes on an accelerator."
    is RefusalReason.Unsupported -> detail
    RefusalReason.EndedTheApp -> "An earlier try ended the app."
    is RefusalReason.FailedBefore -> detail
    is RefusalReason.RefusedBefore -> detail
    is RefusalReason.NotBuilt -> detail
    RefusalReason.OutOfMemory -> "There was not enough memory."
    is RefusalReason.Hung -> "No answer within $limitMillis ms."
    is RefusalReason.WrongAnswers -> figures.answers.detail
    is RefusalReason.NotCompared -> "Nothing to compare with, for the CPU failed: ${cpu.describe()}"
    is RefusalReason.NotNoted -> "The try could not be noted on disk first: $detail"
    is RefusalReason.UnknownLabel -> "It gave the label $label, but the model has $classes classes."
    is RefusalReason.SlowerThanCpu ->
        "It takes ${millis(figures.nanos)} ms, the CPU ${millis(figures.cpuNanos)} ms."
    is RefusalReason.FailedLater -> detail
    is RefusalReason.HungLater -> "It stopped to answer within $limitMillis ms."
}

private fun millis(nanos: Long): String = String.format(Locale.ROOT, "%.1f", nanos / 1e6)
