package org.kerassegformer.demo.ui

import android.content.res.Resources
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ProcessorInUse
import org.kerassegformer.demo.engine.Refusal
import org.kerassegformer.demo.engine.RefusalReason
import org.kerassegformer.demo.models.ImportProblem
import java.text.NumberFormat
import java.util.Locale

/** Puts into words what the engine and the store of models report. */
internal class EngineTexts(private val resources: Resources) {
    /** Why this processor is used, and each before it is not; a line for each. */
    fun why(inUse: ProcessorInUse): String {
        val first = inUse.check?.let { why(it.answers) } ?: resources.getString(R.string.why_cpu, inUse.threads)
        return (listOf(first) + inUse.refused.map(::leftOut)).joinToString("\n")
    }

    /** Why no processor runs the model; a line for each. */
    fun why(failed: EngineState.Failed): String = failed.refused.joinToString("\n", transform = ::leftOut)

    private fun why(check: SelfCheckResult): String =
        resources.getString(R.string.why_check, percent(check.agreement), percent(check.threshold))

    /** Such as "GPU left out: slower than the CPU". */
    fun leftOut(refusal: Refusal): String =
        resources.getString(R.string.why_left_out, nameOf(refusal.processor), reason(refusal.reason))

    private fun reason(reason: RefusalReason): String = when (reason) {
        RefusalReason.NoModelFile -> text(R.string.refused_no_file)
        RefusalReason.AndroidVersion -> text(R.string.refused_android)
        is RefusalReason.Unsupported -> text(R.string.refused_unsupported, reason.detail)
        RefusalReason.EndedTheApp -> text(R.string.refused_ended_app)
        is RefusalReason.FailedBefore -> text(R.string.refused_failed_before, reason.detail)
        is RefusalReason.RefusedBefore -> text(R.string.refused_wrong_before, reason.detail)
        is RefusalReason.NotBuilt -> text(R.string.refused_not_built, reason.detail)
        RefusalReason.OutOfMemory -> text(R.string.refused_memory)
        is RefusalReason.Hung -> text(R.string.refused_hung, reason.limitMillis / MILLIS)
        is RefusalReason.WrongAnswers -> wrong(reason.figures.answers)
        is RefusalReason.NotCompared -> text(R.string.refused_not_compared, reason(reason.cpu))
        is RefusalReason.NotNoted -> text(R.string.refused_not_noted, reason.detail)
        is RefusalReason.UnknownLabel -> text(R.string.refused_unknown_label, reason.label, reason.classes)
        is RefusalReason.SlowerThanCpu -> text(
            R.string.refused_slower,
            reason.figures.nanos / NANOS_PER_MILLI,
            reason.figures.cpuNanos / NANOS_PER_MILLI,
        )
        is RefusalReason.FailedLater -> text(R.string.refused_failed_later, reason.detail)
        is RefusalReason.HungLater -> text(R.string.refused_hung, reason.limitMillis / MILLIS)
    }

    private fun wrong(answers: SelfCheckResult): String =
        if (answers.agreement < answers.threshold) {
            text(R.string.refused_wrong, percent(answers.agreement), percent(answers.threshold))
        } else {
            text(R.string.refused_vanished, answers.vanished.joinToString())
        }

    /** What is wrong with files that were to be imported, and the remedy. */
    fun problem(problem: ImportProblem): String = when (problem) {
        is ImportProblem.PartnerMissing -> text(R.string.import_partner, problem.fileName, problem.missing)
        is ImportProblem.ForeignFile -> text(R.string.import_foreign, problem.fileName)
        is ImportProblem.Unreadable -> text(R.string.import_unreadable, problem.fileName, problem.detail)
        is ImportProblem.BadSpec -> text(R.string.import_bad_spec, problem.fileName, problem.detail)
        is ImportProblem.Truncated ->
            text(R.string.import_truncated, problem.fileName, problem.bytes, problem.expected)
        is ImportProblem.Corrupt -> text(R.string.import_corrupt, problem.fileName)
        is ImportProblem.NotTfLite -> text(R.string.import_not_tflite, problem.fileName)
        is ImportProblem.DoesNotLoad -> text(R.string.import_does_not_load, problem.fileName, problem.detail)
        is ImportProblem.NotStored -> text(R.string.import_not_stored, problem.fileName, problem.detail)
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
            ThermalStatus.NONE -> R.string.heat_none
            ThermalStatus.LIGHT -> R.string.heat_light
            ThermalStatus.MODERATE -> R.string.heat_moderate
            ThermalStatus.SEVERE -> R.string.heat_severe
            ThermalStatus.CRITICAL, ThermalStatus.EMERGENCY, ThermalStatus.SHUTDOWN -> R.string.heat_critical
        },
    )

    /** A share 0..1 with a decimal, such as 99.6 %, rounded down so that a miss never looks like a hit. */
    fun percent(share: Double): String {
        val format = NumberFormat.getPercentInstance(locale()).apply {
            maximumFractionDigits = 1
            roundingMode = java.math.RoundingMode.DOWN
        }
        return format.format(share)
    }

    /** How much of a picture a class covers, in whole percents. */
    fun share(share: Float): String {
        val percent = Math.round(share * 100)
        return if (percent < 1) text(R.string.share_small) else text(R.string.share_value, percent)
    }

    private fun locale(): Locale = resources.configuration.locales[0]

    private fun text(id: Int): String = resources.getString(id)

    private fun text(id: Int, vararg arguments: Any): String = resources.getString(id, *arguments)

    private companion object {
        const val MILLIS = 1_000L
        const val NANOS_PER_MILLI = 1_000_000L
        const val BYTES_PER_MEGABYTE = 1_000_000L
    }
}
