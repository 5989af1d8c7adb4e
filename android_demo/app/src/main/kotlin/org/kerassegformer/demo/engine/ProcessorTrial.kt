package org.kerassegformer.demo.engine

import org.kerassegformer.core.Attempt
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheck
import org.kerassegformer.demo.models.StoredModel
import java.io.IOException

/** What came out of trying a processor. */
internal sealed interface TrialResult {
    /**
     * It may be used.
     *
     * @property check null for the CPU
     * @property loadNanos from the file to its first labels, compilation included
     */
    class Accepted(val loaded: LoadedModel, val check: CheckFigures?, val loadNanos: Long) : TrialResult

    /** It may not; nothing is left loaded. */
    data class Refused(val reason: RefusalReason) : TrialResult
}

/**
 * Tries processors on the check picture before they are used. For one thread.
 *
 * The try is noted in [notes] before the driver is touched: should the driver end the process, the note is still there
 * at the next start.
 */
internal class ProcessorTrial(
    private val loader: ModelLoader,
    private val picture: CheckPicture,
    private val notes: TryNotes,
) {
    private val references = CpuReferences(loader, picture, notes)

    /**
     * Tries [candidate].
     *
     * @param mustBeatCpu whether a processor that is slower than the CPU is refused
     */
    fun attempt(model: StoredModel, candidate: Candidate, threads: Int, mustBeatCpu: Boolean): TrialResult {
        val (processor, file) = candidate
        if (notes.endedTheApp(processor, file)) return TrialResult.Refused(RefusalReason.EndedTheApp)
        val result = if (processor == Processor.CPU) {
            tryCpu(model, file, threads)
        } else {
            tryAccelerator(model, candidate, threads, mustBeatCpu)
        }
        if (result is TrialResult.Refused && processor != Processor.CPU) loader.discardPrograms(file)
        return result
    }

    /** Gives back the memory of what can be computed again. */
    fun freeCaches() = references.clear()

    private fun tryCpu(model: StoredModel, file: ModelFile, threads: Int): TrialResult = guarded {
        notes.onCpu(file) {
            val start = System.nanoTime()
            val loaded = loader.load(file, model.locationOf(file), Processor.CPU, threads)
            loaded.closeUnless<TrialResult.Accepted> {
                val labels = loaded.answer(picture)
                val loadNanos = System.nanoTime() - start
                labels.unknownLabel(file)?.let(TrialResult::Refused) ?: TrialResult.Accepted(loaded, null, loadNanos)
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
        if (notes.endedTheApp(Processor.CPU, cpuFile)) {
            return TrialResult.Refused(RefusalReason.NotCompared(RefusalReason.EndedTheApp))
        }
        val reference = try {
            references.of(model, cpuFile, threads)
        } catch (failure: Throwable) {
            return TrialResult.Refused(RefusalReason.NotCompared(failure.toReason()))
        }
        try {
            notes.begin(processor, file)
        } catch (failure: IOException) {
            return TrialResult.Refused(RefusalReason.NotNoted(failure.toString()))
        }
        val result = guarded {
            val start = System.nanoTime()
            val loaded = loader.load(file, model.locationOf(file), processor, threads)
            loaded.closeUnless<TrialResult.Accepted> {
                val labels = loaded.answer(picture)
                val loadNanos = System.nanoTime() - start
                labels.unknownLabel(file)?.let(TrialResult::Refused)
                    ?: judge(loaded, figures(loaded, labels, reference), loadNanos, mustBeatCpu)
            }
        }
        notes.end(processor, file, (result as? TrialResult.Refused)?.reason?.toAttempt())
        return result
    }

    private fun figures(loaded: LoadedModel, labels: LabelMap, reference: CpuReference): CheckFigures {
        val spec = loaded.file.spec
        val threshold = SelfCheck.threshold(spec, reference.file.spec)
        val answers = SelfCheck.compare(labels, reference.map, spec.labelSet, threshold)
        return CheckFigures(answers, loaded.fastestRun(), reference.nanos)
    }

    private fun judge(
        loaded: LoadedModel,
        figures: CheckFigures,
        loadNanos: Long,
        mustBeatCpu: Boolean,
    ): TrialResult = when {
        !figures.answers.passed -> TrialResult.Refused(RefusalReason.WrongAnswers(figures))
        mustBeatCpu && figures.nanos > figures.cpuNanos -> TrialResult.Refused(RefusalReason.SlowerThanCpu(figures))
        else -> TrialResult.Accepted(loaded, figures, loadNanos)
    }

    private fun guarded(block: () -> TrialResult): TrialResult =
        try {
            block()
        } catch (failure: Throwable) {
            TrialResult.Refused(failure.toReason())
        }

    private fun LabelMap.unknownLabel(file: ModelFile): RefusalReason.UnknownLabel? {
        val classes = file.spec.labelSet.size
        return labels.firstOrNull { it !in 0 until classes }?.let { RefusalReason.UnknownLabel(it, classes) }
    }

    /** What is worth remembering: neither a lack of memory nor a slow minute says anything about the next start. */
    private fun RefusalReason.toAttempt(): Attempt? = when (this) {
        is RefusalReason.WrongAnswers, is RefusalReason.UnknownLabel -> Attempt(Outcome.REFUSED, describe())
        is RefusalReason.NotBuilt, is RefusalReason.Hung -> Attempt(Outcome.FAILED, describe())
        else -> null
    }
}

/** Closes the model unless [block] gives a [T]. */
private inline fun <reified T> LoadedModel.closeUnless(block: () -> TrialResult): TrialResult {
    var result: TrialResult? = null
    try {
        return block().also { result = it }
    } finally {
        if (result !is T) close()
    }
}
