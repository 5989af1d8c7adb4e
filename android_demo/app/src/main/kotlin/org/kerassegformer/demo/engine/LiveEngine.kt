package org.kerassegformer.demo.engine

import org.kerassegformer.core.Candidate
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel

/**
 * The engine of the app.
 *
 * A thread of the engine takes orders and frames, one after another; the model itself lives on a second one
 * ([LoadedModel]), so that a driver that hangs there holds up nothing but itself.
 */
internal class LiveEngine(
    private val trial: ProcessorTrial,
    private val policy: DelegatePolicy,
    private val notes: TryNotes,
    heatSource: HeatSource,
    private val listener: SegmentationEngine.Listener,
) : SegmentationEngine {
    private val inbox = Inbox()
    private val heating: AutoCloseable
    private var active: Active? = null
    private var wanted: Order.Start? = null

    @Volatile
    override var state: EngineState = EngineState.Idle
        private set

    @Volatile
    override var heat: Heat = Heat(ThermalStatus.NONE, null)
        private set

    init {
        Thread(::work, "segmentation engine").apply { isDaemon = true }.start()
        heating = heatSource.listen { inbox.put(Order.Heated(it)) }
    }

    override fun start(model: StoredModel, settings: EngineSettings) = inbox.put(Order.Start(model, settings))

    override fun submit(frame: Frame): Boolean = inbox.put(frame)

    override fun dropWaiting() = inbox.dropFrame()

    override fun trimMemory(level: Int) {
        memoryOrder(level)?.let(inbox::put)
    }

    override fun forgetFailures() = inbox.put(Order.ForgetFailures)

    override fun close() {
        heating.close()
        inbox.put(Order.End)
        inbox.dropFrame()
    }

    private fun work() {
        while (true) {
            when (val order = inbox.next()) {
                is Order.Start -> begin(order)
                is Order.Process -> process(order)
                is Order.Heated -> tellHeat(order.status)
                Order.ForgetFailures -> notes.forget()
                Order.FreeCaches -> trial.freeCaches()
                Order.Suspend -> suspend()
                Order.End -> return end()
            }
        }
    }

    private fun begin(order: Order.Start) {
        wanted = order
        unload()
        val plan = policy.plan(order.model.set, order.settings.choice, notes.memory)
        find(order, plan.candidates, plan.refusals())
    }

    /** Tries [candidates] in turn until one may be used. */
    private fun find(order: Order.Start, candidates: List<Candidate>, refusedBefore: List<Refusal>) {
        val (model, settings) = order
        val refused = refusedBefore.toMutableList()
        for (candidate in candidates) {
            enter(EngineState.Starting(model, candidate.processor, refused.toList()))
            val mustBeatCpu = settings.choice == ProcessorChoice.AUTO
            when (val result = trial.attempt(model, candidate, settings.threads, mustBeatCpu)) {
                is TrialResult.Refused -> refused += Refusal(candidate.processor, result.reason)
                is TrialResult.Accepted -> {
                    val inUse = ProcessorInUse(
                        model,
                        candidate.file,
                        candidate.processor,
                        settings.threads,
                        result.check,
                        refused.toList(),
                    )
                    active = Active(result.loaded, SegmentationResult(inUse, result.loaded.newMap()))
                    return enter(EngineState.Running(inUse))
                }
            }
        }
        inbox.refuseFrames()
        enter(EngineState.Failed(model, refused))
    }

    private fun process(order: Order.Process) {
        if (active == null) wanted?.let(::begin)
        val running = active ?: return order.frame.close()
        val result = running.result
        result.dropped = order.dropped
        if (!read(order.frame, running)) return
        try {
            result.inferenceNanos = running.loaded.run()
            result.outputNanos = nanosOf { running.loaded.read(result.map) }
        } catch (failure: Throwable) {
            return fallBack(result.inUse, failure.toLaterReason())
        }
        listener.onResult(result)
    }

    /** Brings [frame] into the model's input and closes it. @return whether that went well */
    private fun read(frame: Frame, into: Active): Boolean {
        val result = into.result
        result.frameId = frame.id
        result.cameraNanos = frame.cameraNanos
        return try {
            frame.use { result.inputNanos = nanosOf { it.writeTo(into.loaded.input, into.loaded.file.spec.input) } }
            true
        } catch (failure: Exception) {
            listener.onFrameProblem(frame.id, failure.message ?: failure.toString())
            false
        }
    }

    /** Goes on with the CPU after another processor has failed in use. */
    private fun fallBack(failed: ProcessorInUse, reason: RefusalReason) {
        unload()
        val order = wanted ?: return
        val cpu = failed.model.set.fileFor(Processor.CPU)
            ?.takeIf { failed.processor != Processor.CPU }
            ?.let { Candidate(Processor.CPU, it) }
        find(order, listOfNotNull(cpu), failed.refused + Refusal(failed.processor, reason))
    }

    private fun suspend() {
        trial.freeCaches()
        val model = active?.result?.inUse?.model ?: return
        unload()
        // A last frame from before would bring it back at once.
        inbox.dropFrame()
        enter(EngineState.Suspended(model))
    }

    private fun end() {
        unload()
        inbox.dropFrame()
        enter(EngineState.Closed)
    }

    private fun unload() {
        active?.loaded?.close()
        active = null
    }

    private fun tellHeat(status: ThermalStatus) {
        heat = Heat(status, inbox.maxFps())
        listener.onHeat(heat)
    }

    private fun enter(next: EngineState) {
        state = next
        listener.onState(next)
    }

    /** A model in use, and the object in which its results are given. */
    private class Active(val loaded: LoadedModel, val result: SegmentationResult)
}

private inline fun nanosOf(block: () -> Unit): Long {
    val start = System.nanoTime()
    block()
    return System.nanoTime() - start
}
