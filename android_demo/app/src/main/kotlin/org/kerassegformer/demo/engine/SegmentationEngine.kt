package org.kerassegformer.demo.engine

import org.kerassegformer.demo.models.StoredModel

/**
 * Runs a model on the newest of the frames that it is given.
 *
 * All methods may be called from any thread and return at once. There is at most one frame in work and one that waits:
 * a frame that comes while another waits takes its place, and the older one is closed unseen.
 */
internal interface SegmentationEngine : AutoCloseable {
    /** The latest state that was given to the listener. */
    val state: EngineState

    /** How far the heat of the phone slows the engine down at present. */
    val heat: Heat

    /**
     * Makes [model] ready with [settings]; what ran before is given up. The listener hears of each step.
     * Called again with the same arguments, it starts anew: the way to retry after [EngineState.Failed].
     */
    fun start(model: StoredModel, settings: EngineSettings)

    /**
     * Hands over [frame], which the engine closes in any case. A frame that comes before the engine is ready waits.
     *
     * @return whether the frame was taken: false after [close], in [EngineState.Idle] and in [EngineState.Failed]
     */
    fun submit(frame: Frame): Boolean

    /** Closes the frame that waits, if there is one: for pauses, and before a picture of another source. */
    fun dropWaiting()

    /**
     * Gives back memory that can be made again. [level] is that of `ComponentCallbacks2.onTrimMemory`: with the app out
     * of sight the model itself is closed ([EngineState.Suspended]), and the next frame makes it anew.
     */
    fun trimMemory(level: Int)

    /** Forgets which processors crashed, failed or lied, so that the next [start] tries them all again. */
    fun forgetFailures()

    /** Ends the engine for good and closes the interpreter as soon as it is idle. */
    override fun close()

    /** Hears of the engine, always on one thread of the engine and in order; must return soon. */
    interface Listener {
        /** The engine has entered [state]. */
        fun onState(state: EngineState)

        /** The labels of a frame. [result] and its labels are only valid during the call: copy what is kept. */
        fun onResult(result: SegmentationResult)

        /** The frame [frameId] could not be read, and is left out; [detail] says why. */
        fun onFrameProblem(frameId: Long, detail: String)

        /** The heat of the phone has changed how fast frames are taken. */
        fun onHeat(heat: Heat)
    }
}
