package org.kerassegformer.core

/** The processor that the user selected; [processor] is null for the best one. */
public enum class ProcessorChoice(public val processor: Processor?) {
    AUTO(null),
    GPU(Processor.GPU),
    NNAPI(Processor.NNAPI),
    CPU(Processor.CPU),
}

/** Why a processor is skipped. */
public enum class SkipReason {
    /** The user selected another one. */
    NOT_CHOSEN,

    /** The model has no file for it. */
    NO_FILE,

    /** This Android version has no NNAPI, or only one that may fall back to a reference CPU. */
    ANDROID_VERSION,

    /** The device does not support it. */
    UNSUPPORTED,

    /** An earlier attempt crashed the process. */
    CRASHED_BEFORE,

    /** An earlier attempt failed to run the file. */
    FAILED_BEFORE,

    /** Its labels failed an earlier self-check. */
    REJECTED_BEFORE,
}

/**
 * A processor that is skipped.
 *
 * @property detail explanation in English
 */
public data class Skipped(public val processor: Processor, public val reason: SkipReason, public val detail: String)

/** A processor to try, with the file for it. */
public data class Candidate(public val processor: Processor, public val file: ModelFile)

/**
 * Candidates in order of preference, and skipped processors. The CPU, which needs no delegate, is the last candidate.
 */
public data class ProcessorPlan(public val candidates: List<Candidate>, public val skipped: List<Skipped>)

/**
 * Selects the processors to try, in the order GPU, NNAPI, CPU.
 *
 * @param sdk `Build.VERSION.SDK_INT`
 * @param unsupported processors that the device does not support, with its explanation
 * @param hasNpuRuntime true if the runtime addresses NPUs itself, instead of through NNAPI
 */
public class DelegatePolicy(
    private val sdk: Int,
    private val unsupported: Map<Processor, String> = emptyMap(),
    hasNpuRuntime: Boolean = false,
) {
    private val lacksNnapi = !hasNpuRuntime && sdk !in NNAPI_SDKS

    /** Processors that are skipped for every model, whatever the user selects. */
    public val unusable: Set<Processor> = unsupported.keys + setOfNotNull(Processor.NNAPI.takeIf { lacksNnapi })

    /**
     * Returns the candidates for a model. The CPU is always the fallback. Processors with an entry in the crash log are
     * skipped until it is cleared.
     */
    public fun plan(set: ModelSet, choice: ProcessorChoice, crashLog: CrashLog): ProcessorPlan {
        val candidates = mutableListOf<Candidate>()
        val skipped = mutableListOf<Skipped>()
        for (processor in Processor.entries) {
            val file = set.fileFor(processor)
            val reason = if (file == null) noFile(set, processor) else reasonToSkip(processor, file, choice, crashLog)
            if (reason != null) skipped += reason else if (file != null) candidates += Candidate(processor, file)
        }
        return ProcessorPlan(candidates, skipped)
    }

    private fun reasonToSkip(
        processor: Processor,
        file: ModelFile,
        choice: ProcessorChoice,
        crashLog: CrashLog,
    ): Skipped? = when {
        processor == Processor.CPU -> null
        choice != ProcessorChoice.AUTO && choice.processor != processor ->
            Skipped(processor, SkipReason.NOT_CHOSEN, "${choice.name} was selected")
        processor == Processor.NNAPI && lacksNnapi ->
            Skipped(processor, SkipReason.ANDROID_VERSION, "used on Android 8.1 to 14 (API 27 to 34), not on API $sdk")
        processor in unsupported -> Skipped(processor, SkipReason.UNSUPPORTED, unsupported.getValue(processor))
        else -> crashLog.attempt(processor, file)?.let { Skipped(processor, reasonOf(it.outcome), it.detail) }
    }

    private fun noFile(set: ModelSet, processor: Processor): Skipped {
        val wanted = when (processor) {
            Processor.GPU -> "--precision float16 --input float32 --no-tiles"
            Processor.NNAPI -> "--precision int8_npu --no-tiles"
            Processor.CPU -> "--precision int8"
        }
        return Skipped(processor, SkipReason.NO_FILE, "${set.name} has no file for it: convert one with $wanted")
    }

    private fun reasonOf(outcome: Outcome): SkipReason = when (outcome) {
        Outcome.RUNNING, Outcome.INTERRUPTED, Outcome.CRASHED -> SkipReason.CRASHED_BEFORE
        Outcome.FAILED -> SkipReason.FAILED_BEFORE
        Outcome.REJECTED -> SkipReason.REJECTED_BEFORE
    }

    private companion object {
        /** NNAPI was added in Android 8.1 and deprecated in Android 15. */
        val NNAPI_SDKS = 27..34
    }
}
