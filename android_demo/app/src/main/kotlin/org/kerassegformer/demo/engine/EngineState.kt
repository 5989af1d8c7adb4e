package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.StoredModel

/** State of the engine. */
internal sealed interface EngineState {
    /** Not started yet. */
    data object Idle : EngineState

    /**
     * A processor is being tried: its interpreter is created and its labels are checked.
     *
     * @property rejected the processors that are not used
     */
    data class Starting(val model: StoredModel, val processor: Processor, val rejected: List<Rejection>) : EngineState

    /** Frames are processed; by the CPU while an accelerator is tried beside it. */
    data class Running(val inUse: ProcessorInUse) : EngineState

    /** The model was unloaded to free memory; the next frame restarts it. */
    data class Suspended(val model: StoredModel) : EngineState

    /** No processor can run the model, for the reasons in [rejected], in the order of the attempts. */
    data class Failed(val model: StoredModel, val rejected: List<Rejection>) : EngineState

    /** The engine was closed. */
    data object Closed : EngineState
}

/**
 * The processor that runs the model, and why it was selected.
 *
 * @property threads number of CPU threads, also for operations that a delegate leaves to the CPU
 * @property check result of the self-check; null for the CPU, which is the reference
 * @property rejected the preferred processors, each with the reason why it is not used
 * @property trying the accelerator that is being tried and may replace [processor], or null
 */
internal data class ProcessorInUse(
    val model: StoredModel,
    val file: ModelFile,
    val processor: Processor,
    val threads: Int,
    val check: SelfCheckMeasurement?,
    val rejected: List<Rejection>,
    val trying: Processor? = null,
)
