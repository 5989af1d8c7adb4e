package org.kerassegformer.core

/** What the user wants. */
public enum class ProcessorChoice(internal val processor: Processor?) {
    AUTO(null),
    GPU(Processor.GPU),
    NNAPI(Processor.NNAPI),
    CPU(Processor.CPU),
}

/** Why a processor is left out. */
public enum class SkipReason {
    /** The user chose another. */
    NOT_CHOSEN,

    /** The set has no file for it. */
    NO_FILE,

    /** This version of Android has no NNAPI, or only one that may compute on a reference CPU. */
    ANDROID_VERSION,

    /** The device says that it cannot. */
    UNSUPPORTED,

    /** An earlier attempt ended the process. */
    CRASHED_BEFORE,

    /** It could not run the file. */
    FAILED_BEFORE,

    /** Its labels were wrong. */
    REFUSED_BEFORE,
}

/**
 * A processor that is not tried.
 *
 * @property detail in words, for the HUD
 */
public data class Skipped(public val processor: Processor, public val reason: SkipReason, public val detail: String)

/** A processor to try, with the file that suits it. */
public data class Candidate(public val processor: Processor, public val file: ModelFile)

/** What to try, in this order, and what not and why. The last candidate is the CPU, which needs no delegate. */
public data class ProcessorPlan(public val candidates: List<Candidate>, public val skipped: List<Skipped>)

/**
 * The order in which processors are tried: GPU, NNAPI, CPU.
 *
 * @param sdk `Build.VERSION.SDK_INT`
 * @param unsupported processors of which the device says that it lacks them, and its words
 */
public class DelegatePolicy(private val sdk: Int, private val unsupported: Map<Processor, String> = emptyMap()) {
    /** Whatever the choice, the CPU is the last resort; what crashed or lied before is left out until forgotten. */
    public fun plan(set: ModelSet, choice: ProcessorChoice, memory: AttemptMemory): ProcessorPlan {
        val candidates = mutableListOf<Candidate>()
        val skipped = mutableListOf<Skipped>()
        for (processor in Processor.entries) {
            val file = set.fileFor(processor)
            val reason = if (file == null) noFile(set, processor) else reasonToSkip(processor, file, choice, memory)
            if (reason != null) skipped += reason else if (file != null) candidates += Candidate(processor, file)
        }
        return ProcessorPlan(candidates, skipped)
    }

    private fun reasonToSkip(
        processor: Processor,
        file: ModelFile,
        choice: ProcessorChoice,
        memory: AttemptMemory,
    ): Skipped? = when {
        processor == Processor.CPU -> null
        choice != ProcessorChoice.AUTO && choice.processor != processor ->
            Skipped(processor, SkipReason.NOT_CHOSEN, "${choice.name} was chosen")
        processor == Processor.NNAPI && sdk !in NNAPI_SDKS ->
            Skipped(processor, SkipReason.ANDROID_VERSION, "used on Android 8.1 to 14 (API 27 to 34), not on API $sdk")
        processor in unsupported -> Skipped(processor, SkipReason.UNSUPPORTED, unsupported.getValue(processor))
        else -> memory.of(processor, file.spec.sha256)?.let { Skipped(processor, reasonOf(it.outcome), it.detail) }
    }

    private fun noFile(set: ModelSet, processor: Processor): Skipped {
        val wanted = when (processor) {
            Processor.GPU -> "--precision float16 --input float32 --no-tiles"
            Processor.NNAPI -> "--precision int8_npu --no-tiles"
            Processor.CPU -> "--precision int8 --runtime tflite-2.16"
        }
        return Skipped(processor, SkipReason.NO_FILE, "${set.name} has no file for it: convert one with $wanted")
    }

    private fun reasonOf(outcome: Outcome): SkipReason = when (outcome) {
        Outcome.CRASHED -> SkipReason.CRASHED_BEFORE
        Outcome.FAILED -> SkipReason.FAILED_BEFORE
        Outcome.REFUSED -> SkipReason.REFUSED_BEFORE
    }

    private companion object {
        /** It came with Android 8.1; from Android 15 on it is deprecated. */
        val NNAPI_SDKS = 27..34
    }
}
