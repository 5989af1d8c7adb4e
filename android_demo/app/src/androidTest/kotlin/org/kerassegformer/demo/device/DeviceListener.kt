package org.kerassegformer.demo.device

import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.engine.ThermalState
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Waits for events of an engine. */
internal class DeviceListener : SegmentationEngine.Listener {
    private val settled = LinkedBlockingQueue<EngineState>()
    private val frames = LinkedBlockingQueue<Long>()

    override fun onState(state: EngineState) {
        val isSettled = state is EngineState.Failed || state is EngineState.Running && state.inUse.trying == null
        if (isSettled) settled += state
    }

    override fun onResult(result: SegmentationResult) {
        frames += result.frameId
    }

    override fun onThermalStateChanged(state: ThermalState) = Unit

    override fun onFrameProblem(frameId: Long, detail: String) = throw AssertionError("Frame $frameId: $detail")

    /** The next [EngineState.Running] in which no other processor is tried, or [EngineState.Failed]. GPUs may compile for a minute. */
    fun awaitSettled(): EngineState =
        checkNotNull(settled.poll(5, TimeUnit.MINUTES)) { "The engine did not start within 5 minutes." }

    /** The ID of the next segmented frame. */
    fun awaitFrame(): Long = checkNotNull(frames.poll(1, TimeUnit.MINUTES)) { "No labels came within a minute." }
}
