package org.kerassegformer.demo.engine

import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.models.StoredModel

/**
 * Runs a model on the latest submitted frame.
 *
 * All methods are thread-safe and do not block. At most one frame is processed and one waits: a newer frame replaces
 * the waiting one, which is closed.
 */
internal interface SegmentationEngine : AutoCloseable {
    /** The latest state, as reported to the listener. */
    val state: EngineState

    /** Current thermal state and throttling. */
    val thermalState: ThermalState

    /**
     * Loads [model] with [settings] and replaces the previous one. The listener is notified of each step. Calling it
     * again with the same arguments restarts the model, for example after [EngineState.Failed].
     */
    fun start(model: StoredModel, settings: EngineSettings)

    /**
     * Submits [frame], which the engine closes in any case. It waits until the model is loaded.
     *
     * @return false if the frame is rejected: after [close], in [EngineState.Idle] and in [EngineState.Failed]
     */
    fun submit(frame: Frame): Boolean

    /** Closes the waiting frame, if any: when pausing, or before a frame of another source. */
    fun dropWaiting()

    /**
     * Frees memory according to the [level] of `ComponentCallbacks2.onTrimMemory`. In the background the model is
     * unloaded ([EngineState.Suspended]); the next frame reloads it.
     */
    fun trimMemory(level: Int)

    /** Clears the crash log, so that the next [start] tries all processors again. */
    fun forgetFailures()

    /** Closes the engine permanently, and the interpreter as soon as it is idle; does not wait. */
    override fun close()

    /** Receives the engine's events in order, one after another, in the background. Must not block. */
    interface Listener {
        /** Called when the engine enters [state]. */
        fun onState(state: EngineState)

        /** Called with the labels of a frame. [result] is reused after the call: copy what you keep. */
        fun onResult(result: SegmentationResult)

        /** Called if the frame [frameId] could not be read and is skipped. */
        fun onFrameProblem(frameId: Long, detail: String)

        /** Called when the thermal status changes. */
        fun onThermalStateChanged(state: ThermalState)
    }
}

/**
 * Settings for running a model.
 *
 * @property choice AUTO tries GPU, NNAPI and CPU in this order; any other tries that one, with the CPU as the fallback
 * @property threads number of CPU threads, at least 1
 * @property hidesUnsure true to give places with two likely classes no label, for models that return logits
 */
internal data class EngineSettings(
    val choice: ProcessorChoice = ProcessorChoice.AUTO,
    val threads: Int = defaultThreads(),
    val hidesUnsure: Boolean = true,
) {
    init {
        require(threads >= 1) { "The number of threads must be at least 1, but is $threads." }
    }

    internal companion object {
        private const val MOST_USEFUL_THREADS = 4

        /** Half of the cores, 1 to 4: typically the number of performance cores. */
        fun defaultThreads(): Int = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, MOST_USEFUL_THREADS)
    }
}
