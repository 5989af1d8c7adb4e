package org.kerassegformer.demo.ui

import android.content.res.Resources
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ProcessorInUse
import org.kerassegformer.demo.engine.Rejection
import org.kerassegformer.demo.engine.RejectionReason
import org.kerassegformer.demo.models.ImportProblem
import java.text.NumberFormat
import java.util.Locale

/**
 * User-visible texts for the states of the engine and the model store.
 *
 * @param classNames translates the classes that a processor does not detect; null where no such text is shown
 */
internal class EngineTexts(private val resources: Resources, private val classNames: ClassNames? = null) {
    /** Explains why this processor is used and the preferred ones are not, one line each. */
    fun why(inUse: ProcessorInUse): String {
        val first = inUse.check?.let { why(it.result) } ?: resources.getString(R.string.why_cpu, inUse.threads)
        val trying = inUse.trying?.let { resources.getString(R.string.latency_starting, nameOf(it)) }
        return (listOf(first) + inUse.rejected.map(::describe) + listOfNotNull(trying)).joinToString("\n")
    }

    /** Explains why no processor can run the model, one line each. */
    fun why(failed: EngineState.Failed): String = failed.rejected.joinToString("\n", transform = ::describe)

    private fun why(check: SelfCheckResult): String =
        resources.getString(R.string.why_check, percent(check.agreement), percent(check.threshold))

    /** Returns a text such as "GPU not used: slower than the CPU". */
    fun describe(rejection: Rejection): String =
        resources.getString(R.string.why_left_out, nameOf(rejection.processor), reason(rejection.reason))

    private fun reason(reason: RejectionReason): String = when (reason) {
        RejectionReason.NoModelFile -> text(R.string.rejected_no_file)
        RejectionReason.AndroidVersion -> text(R.string.rejected_android)
        is RejectionReason.Unsupported -> text(R.string.rejected_unsupported, reason.detail)
        RejectionReason.CrashedBefore -> text(R.string.rejected_crashed)
        is RejectionReason.FailedBefore -> text(R.string.rejected_failed_before, reason.detail)
        is RejectionReason.RejectedBefore -> text(R.string.rejected_mismatch_before, reason.detail)
        is RejectionReason.InitializationFailed -> text(R.string.rejected_initialization, reason.detail)
        RejectionReason.OutOfMemory -> text(R.string.rejected_memory)
        is RejectionReason.TimedOut -> text(R.string.rejected_timeout, reason.limitMillis / MILLIS)
        is RejectionReason.LabelMismatch -> mismatch(reason.measurement.result)
        is RejectionReason.NoReference -> text(R.string.rejected_no_reference, reason(reason.cpu))
        is RejectionReason.CrashLogUnwritable -> text(R.string.rejected_crash_log, reason.detail)
        is RejectionReason.InvalidLabel -> text(R.string.rejected_invalid_label, reason.label, reason.classes)
        is RejectionReason.SlowerThanCpu -> text(
            R.string.rejected_slower,
            reason.measurement.nanos / NANOS_PER_MILLI,
            reason.measurement.cpuNanos / NANOS_PER_MILLI,
        )
        is RejectionReason.FailedInUse -> text(R.string.rejected_failed_in_use, reason.detail)
        is RejectionReason.TimedOutInUse -> text(R.string.rejected_timeout, reason.limitMillis / MILLIS)
    }

    private fun mismatch(result: SelfCheckResult): String =
        if (result.agreement < result.threshold) {
            text(R.string.rejected_mismatch, percent(result.agreement), percent(result.threshold))
        } else {
            text(R.string.rejected_missing_class, result.vanished.joinToString { classNames?.of(it) ?: it })
        }

    /** Explains why files cannot be imported, with the remedy. */
    fun problem(problem: ImportProblem): String = when (problem) {
        is ImportProblem.CounterpartMissing -> text(R.string.import_counterpart, problem.fileName, problem.missing)
        is ImportProblem.UnsupportedFile -> text(R.string.import_unsupported, problem.fileName)
        is ImportProblem.Unreadable -> text(R.string.import_unreadable, problem.fileName, problem.detail)
        is ImportProblem.BadSpec -> text(R.string.import_bad_spec, problem.fileName, problem.detail)
        is ImportProblem.Truncated ->
            text(R.string.import_truncated, problem.fileName, problem.bytes, problem.expected)
        is ImportProblem.Corrupt -> text(R.string.import_corrupt, problem.fileName)
        is ImportProblem.NotTfLite -> text(R.string.import_not_tflite, problem.fileName)
        is ImportProblem.DoesNotLoad -> text(R.string.import_does_not_load, problem.fileName, problem.detail)
        is ImportProblem.NotStored -> text(R.string.import_not_stored, problem.fileName, problem.detail)
        is ImportProblem.NameTaken -> text(R.string.import_taken, problem.name)
        is ImportProblem.NoSpace -> text(
            R.string.import_no_space,
            problem.fileName,
            problem.neededBytes / BYTES_PER_MEGABYTE,
            problem.freeBytes / BYTES_PER_MEGABYTE,
        )
    }

    fun nameOf(processor: Processor): String = text(
        when (processor) {
            Processor.GPU -> R.string.processor_gpu
            Processor.NNAPI -> R.string.processor_nnapi
            Processor.CPU -> R.string.processor_cpu
        },
    )

    fun nameOf(phase: Phase): String = text(
        when (phase) {
            Phase.CAMERA -> R.string.phase_camera
            Phase.INPUT -> R.string.phase_input
            Phase.INFERENCE -> R.string.phase_inference
            Phase.OUTPUT -> R.string.phase_output
            Phase.DRAW -> R.string.phase_draw
        },
    )

    fun nameOf(status: ThermalStatus): String = text(
        when (status) {
            ThermalStatus.NONE -> R.string.thermal_none
            ThermalStatus.LIGHT -> R.string.thermal_light
            ThermalStatus.MODERATE -> R.string.thermal_moderate
            ThermalStatus.SEVERE -> R.string.thermal_severe
            ThermalStatus.CRITICAL, ThermalStatus.EMERGENCY, ThermalStatus.SHUTDOWN -> R.string.thermal_critical
        },
    )

    /**
     * Formats a share 0..1 with one decimal, such as 99.6%, rounded down so that a value below a threshold looks so.
     */
    fun percent(share: Double): String {
        val format = NumberFormat.getPercentInstance(locale()).apply {
            maximumFractionDigits = 1
            roundingMode = java.math.RoundingMode.DOWN
        }
        return format.format(share)
    }

    /** Formats a whole percentage. */
    fun percent(percent: Int): String = NumberFormat.getPercentInstance(locale()).format(percent / 100.0)

    /** Formats the share of a class as a whole percentage. */
    fun share(share: Float): String {
        val percent = Math.round(share * 100)
        return if (percent < 1) text(R.string.share_small, percent(1)) else percent(percent)
    }

    /** Formats a magnification, such as 2.0×. */
    fun zoom(zoom: Float): String = String.format(locale(), "%.1f×", zoom)

    private fun locale(): Locale = resources.configuration.locales[0]

    private fun text(id: Int): String = resources.getString(id)

    private fun text(id: Int, vararg arguments: Any): String = resources.getString(id, *arguments)

    private companion object {
        const val MILLIS = 1_000L
        const val NANOS_PER_MILLI = 1_000_000L
        const val BYTES_PER_MEGABYTE = 1_000_000L
    }
}
