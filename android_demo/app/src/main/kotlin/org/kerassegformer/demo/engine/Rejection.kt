package org.kerassegformer.demo.engine

import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult

/**
 * Measurements of the self-check on the bundled image.
 *
 * @property result comparison of the labels with the CPU's
 * @property nanos duration of one run, in nanoseconds
 * @property cpuNanos duration of one run on the CPU, in nanoseconds
 */
internal data class SelfCheckMeasurement(val result: SelfCheckResult, val nanos: Long, val cpuNanos: Long)

/** A processor that is not used, and the reason. */
internal data class Rejection(val processor: Processor, val reason: RejectionReason)

/** Why a processor is not used. */
internal sealed interface RejectionReason {
    /** The model has no file for this processor. */
    data object NoModelFile : RejectionReason

    /** This Android version has no NNAPI, or one that may fall back to a reference CPU. */
    data object AndroidVersion : RejectionReason

    /** The phone does not support it; [detail] is its explanation. */
    data class Unsupported(val detail: String) : RejectionReason

    /** An earlier attempt with this model, app and system crashed the app. */
    data object CrashedBefore : RejectionReason

    /** An earlier attempt with this model, app and system failed; [detail] is from the crash log. */
    data class FailedBefore(val detail: String) : RejectionReason

    /** It failed an earlier self-check with this model, app and system; [detail] is from the crash log. */
    data class RejectedBefore(val detail: String) : RejectionReason

    /** The interpreter or the delegate could not be created or run; [detail] is the runtime's message. */
    data class InitializationFailed(val detail: String) : RejectionReason

    /** There was not enough memory. */
    data object OutOfMemory : RejectionReason

    /** No response within [limitMillis]. */
    data class TimedOut(val limitMillis: Long) : RejectionReason

    /** The labels differ too much from the CPU's. */
    data class LabelMismatch(val measurement: SelfCheckMeasurement) : RejectionReason

    /** The self-check has no reference, because the CPU cannot run the model for the reason [cpu]. */
    data class NoReference(val cpu: RejectionReason) : RejectionReason

    /** It was not tried, because the crash log cannot be written; [detail] is the system's message. */
    data class CrashLogUnwritable(val detail: String) : RejectionReason

    /** It returned [label], which is out of range for [classes] classes. */
    data class InvalidLabel(val label: Int, val classes: Int) : RejectionReason

    /** It is slower than the CPU, and therefore skipped by Auto. */
    data class SlowerThanCpu(val measurement: SelfCheckMeasurement) : RejectionReason

    /** It failed while in use; [detail] is the runtime's message. */
    data class FailedInUse(val detail: String) : RejectionReason

    /** It did not respond within [limitMillis] while in use. */
    data class TimedOutInUse(val limitMillis: Long) : RejectionReason
}
