package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel

/** What the engine does at present. */
internal sealed interface EngineState {
    /** Nothing was started yet. */
    data object Idle : EngineState

    /**
     * A processor is being tried: its interpreter is made and its answers are checked.
     *
     * @property refused what was tried before it, and why it is not used
     */
    data class Starting(val model: StoredModel, val processor: Processor, val refused: List<Refusal>) : EngineState

    /** Frames are taken. */
    data class Running(val inUse: ProcessorInUse) : EngineState

    /** The memory of the model was given back; the next frame starts it again. */
    data class Suspended(val model: StoredModel) : EngineState

    /** No processor can run the model. [refused] says why, in the order of the tries. */
    data class Failed(val model: StoredModel, val refused: List<Refusal>) : EngineState

    /** The engine was closed. */
    data object Closed : EngineState
}

/**
 * The processor that runs the model, and why it is this one.
 *
 * @property threads threads of the CPU; also those of the operations that an accelerator leaves to it
 * @property check how the answers compared with those of the CPU; null for the CPU, which is compared with nothing
 * @property refused the processors that would have come before it, each with its reason
 */
internal data class ProcessorInUse(
    val model: StoredModel,
    val file: ModelFile,
    val processor: Processor,
    val threads: Int,
    val check: CheckFigures?,
    val refused: List<Refusal>,
)

/**
 * How the heat of the phone slows the engine down.
 *
 * @property maxFps most frames per second, 0 for none at all; null for as many as can be had
 */
internal data class Heat(val status: ThermalStatus, val maxFps: Int?) {
    val slowsDown: Boolean get() = maxFps != null
}
