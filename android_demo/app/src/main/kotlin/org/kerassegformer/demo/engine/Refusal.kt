package org.kerassegformer.demo.engine

import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult

/**
 * What the self-check on the bundled picture measured.
 *
 * @property answers how the labels compared with those of the CPU, and what was asked for
 * @property nanos time of one run, in nanoseconds
 * @property cpuNanos time of one run of the CPU, in nanoseconds
 */
internal data class CheckFigures(val answers: SelfCheckResult, val nanos: Long, val cpuNanos: Long)

/** A processor that is not used, and the reason. */
internal data class Refusal(val processor: Processor, val reason: RefusalReason)

/** Why a processor is not used. */
internal sealed interface RefusalReason {
    /** The model has no file for this processor. */
    data object NoModelFile : RefusalReason

    /** This version of Android has no NNAPI, or one that may compute on a reference CPU. */
    data object AndroidVersion : RefusalReason

    /** The phone says that it has none; [detail] are its words. */
    data class Unsupported(val detail: String) : RefusalReason

    /** An earlier try with this model, app and system ended the whole app. */
    data object EndedTheApp : RefusalReason

    /** An earlier try with this model, app and system failed; [detail] is what was written down. */
    data class FailedBefore(val detail: String) : RefusalReason

    /** Its answers were wrong at an earlier try with this model, app and system; [detail] has the figure. */
    data class RefusedBefore(val detail: String) : RefusalReason

    /** The interpreter or the delegate could not be made or run; [detail] is the runtime's message. */
    data class NotBuilt(val detail: String) : RefusalReason

    /** There was not enough memory. */
    data object OutOfMemory : RefusalReason

    /** No answer within [limitMillis]. */
    data class Hung(val limitMillis: Long) : RefusalReason

    /** The answers differ too much from those of the CPU. */
    data class WrongAnswers(val figures: CheckFigures) : RefusalReason

    /** There is nothing to compare its answers with, because the CPU cannot run the model: [cpu] says why. */
    data class NotCompared(val cpu: RefusalReason) : RefusalReason

    /** It was not tried, because that could not be noted on disk first; [detail] is the system's message. */
    data class NotNoted(val detail: String) : RefusalReason

    /** [label] is outside of the label set of [classes] classes: such answers mean nothing. */
    data class UnknownLabel(val label: Int, val classes: Int) : RefusalReason

    /** It is slower than the CPU, so that Auto passes it by. */
    data class SlowerThanCpu(val figures: CheckFigures) : RefusalReason

    /** It worked, and then failed in a later run; [detail] is the runtime's message. */
    data class FailedLater(val detail: String) : RefusalReason

    /** It worked, and then gave no answer within [limitMillis]. */
    data class HungLater(val limitMillis: Long) : RefusalReason
}
