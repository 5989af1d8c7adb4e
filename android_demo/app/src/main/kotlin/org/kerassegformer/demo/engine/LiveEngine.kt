package org.kerassegformer.demo.engine

import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel

/**
 * The app's engine.
 *
 * One thread processes commands and frames sequentially; the model runs on a second one ([LoadedModel]), so that a
 * driver that hangs does not block the engine.
 */
internal class LiveEngine(
    private val trial: ProcessorTrial,
    private val policy: DelegatePolicy,
    private val crashLog: CrashLog,
    thermalMonitor: ThermalMonitor,
    private val listener: SegmentationEngine.Listener,
) : SegmentationEngine {
    private val commands = CommandQueue()
    private val thermalSubscription: AutoCloseable
    private var active: Active? = null
    private var lastStart: Command.Start? = null

    @Volatile
    override var state: EngineState = EngineState.Idle
        private set

    @Volatile
    override var thermalState: ThermalState = ThermalState(ThermalStatus.NONE, null)
        private set

    init {
        Thread(::work, "segmentation engine").apply { isDaemon = true }.start()
        thermalSubscription = thermalMonitor.listen { commands.post(Command.UpdateThermalStatus(it)) }
    }

    override fun start(model: StoredModel, settings: EngineSettings) = commands.post(Command.Start(model, settings))

    override fun submit(frame: Frame): Boolean = commands.postFrame(frame)

    override fun dropWaiting() = commands.dropFrame()

    override fun trimMemory(level: Int) {
        trimCommand(level)?.let(commands::post)
    }

    override fun forgetFailures() = commands.post(Command.ForgetFailures)

    override fun close() {
        thermalSubscription.close()
        commands.post(Command.Close)
        commands.dropFrame()
    }

    private fun work() {
        while (true) {
            when (val command = commands.take()) {
                is Command.Start -> begin(command)
                is Command.ProcessFrame -> process(command)
                is Command.UpdateThermalStatus -> reportThermalState(command.status)
                Command.ForgetFailures -> crashLog.clear()
                Command.FreeCaches -> trial.freeCaches()
                Command.Suspend -> suspend()
                Command.Close -> return end()
            }
        }
    }

    private fun begin(command: Command.Start) {
        lastStart = command
        unload()
        val plan = policy.plan(command.model.set, command.settings.choice, crashLog)
        find(command, plan.candidates, plan.rejections())
    }

    /** Tries [candidates] in turn until one may be used. */
    private fun find(command: Command.Start, candidates: List<Candidate>, rejectedBefore: List<Rejection>) {
        val (model, settings) = command
        val rejected = rejectedBefore.toMutableList()
        for (candidate in candidates) {
            enter(EngineState.Starting(model, candidate.processor, rejected.toList()))
            val mustBeatCpu = settings.choice == ProcessorChoice.AUTO
            when (val result = trial.attempt(model, candidate, settings.threads, mustBeatCpu)) {
                is TrialResult.Rejected -> rejected += Rejection(candidate.processor, result.reason)
                is TrialResult.Accepted -> {
                    val inUse = ProcessorInUse(
                        model,
                        candidate.file,
                        candidate.processor,
                        settings.threads,
                        result.check,
                        rejected.toList(),
                    )
                    active = Active(result.loaded, SegmentationResult(inUse, result.loaded.newMap()))
                    return enter(EngineState.Running(inUse))
                }
            }
        }
        commands.rejectFrames()
        enter(EngineState.Failed(model, rejected))
    }

    private fun process(command: Command.ProcessFrame) {
        if (active == null) lastStart?.let(::begin)
        val running = active ?: return command.frame.close()
        val result = running.result
        result.dropped = command.dropped
        if (!read(command.frame, running)) return
        try {
            result.inferenceNanos = running.loaded.run()
            result.outputNanos = nanosOf { running.loaded.read(result.map) }
        } catch (failure: Throwable) {
            return fallBack(result.inUse, failure.toReasonInUse())
        }
        // The self-check only covers one image: an out-of-range label has no class to render.
        result.map.invalidLabel(result.inUse.file)?.let { return fallBack(result.inUse, it) }
        listener.onResult(result)
    }

    /** Writes [frame] to the model's input and closes it. @return false on failure */
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

    /** Falls back to the CPU after another processor failed in use. */
    private fun fallBack(failed: ProcessorInUse, reason: RejectionReason) {
        unload()
        val command = lastStart ?: return
        val cpu = failed.model.set.fileFor(Processor.CPU)
            ?.takeIf { failed.processor != Processor.CPU }
            ?.let { Candidate(Processor.CPU, it) }
        find(command, listOfNotNull(cpu), failed.rejected + Rejection(failed.processor, reason))
    }

    private fun suspend() {
        trial.freeCaches()
        val model = active?.result?.inUse?.model ?: return
        unload()
        // A frame that is still waiting would restart the model at once.
        commands.dropFrame()
        enter(EngineState.Suspended(model))
    }

    private fun end() {
        unload()
        commands.dropFrame()
        enter(EngineState.Closed)
    }

    private fun unload() {
        active?.loaded?.close()
        active = null
    }

    private fun reportThermalState(status: ThermalStatus) {
        thermalState = ThermalState(status, commands.maxFps())
        listener.onThermalStateChanged(thermalState)
    }

    private fun enter(next: EngineState) {
        state = next
        listener.onState(next)
    }

    /** A model in use, and its reusable result. */
    private class Active(val loaded: LoadedModel, val result: SegmentationResult)
}

private inline fun nanosOf(block: () -> Unit): Long {
    val start = System.nanoTime()
    block()
    return System.nanoTime() - start
}
