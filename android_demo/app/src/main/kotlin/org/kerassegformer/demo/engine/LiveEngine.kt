package org.kerassegformer.demo.engine

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.StoredModel

/**
 * The app's engine.
 *
 * One coroutine processes commands and frames sequentially; the model runs on a thread of its own ([LoadedModel]), so that
 * a driver that hangs does not block the engine. The CPU is used at once, and replaced by the first accelerator that
 * passes the self-check ([AcceleratorSearch]).
 *
 * @param dispatcher where the engine converts frames and reads labels
 */
internal class LiveEngine(
    private val trial: ProcessorTrial,
    private val policy: DelegatePolicy,
    private val crashLog: CrashLog,
    thermalMonitor: ThermalMonitor,
    private val listener: SegmentationEngine.Listener,
    private val recheck: RecheckSchedule = RecheckSchedule(),
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
) : SegmentationEngine {
    private val scope = CoroutineScope(SupervisorJob() + dispatcher)
    private val commands = CommandQueue()
    private val search = AcceleratorSearch(trial, scope) { commands.postTried(it) }
    private val latestState = MutableStateFlow<EngineState>(EngineState.Idle)
    private val latestThermalState = MutableStateFlow(ThermalState(ThermalStatus.NONE, null))
    private val thermalSubscription: AutoCloseable
    private var active: Active? = null
    private var lastStart: Command.Start? = null

    override val state: EngineState get() = latestState.value

    override val thermalState: ThermalState get() = latestThermalState.value

    init {
        // Also runs if the engine is closed before its coroutine has started.
        scope.launch { work() }.invokeOnCompletion { end() }
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
        commands.close()
        // An inference in progress is not waited for; an attempt with a processor is, as its end must be logged.
        scope.cancel()
    }

    private suspend fun work() {
        trial.resolveInterrupted()
        while (true) {
            when (val command = commands.take()) {
                is Command.Start -> begin(command)
                is Command.ProcessFrame -> process(command)
                is Command.Tried -> proceed(command)
                is Command.UpdateThermalStatus -> reportThermalState(command.status)
                Command.ForgetFailures -> trial.forgetAll()
                Command.FreeCaches -> trial.freeCaches()
                Command.Suspend -> unloadAndSuspend()
            }
        }
    }

    private suspend fun begin(command: Command.Start) {
        lastStart = command
        unload()
        val plan = policy.plan(command.model.set, command.settings.choice, crashLog)
        val (cpus, accelerators) = plan.candidates.partition { it.processor == Processor.CPU }
        startCpu(command, cpus.singleOrNull(), accelerators, plan.rejections())
    }

    /** Loads the CPU and tries [accelerators] beside it. Without a CPU, their labels cannot be checked. */
    private suspend fun startCpu(
        command: Command.Start,
        cpu: Candidate?,
        accelerators: List<Candidate>,
        rejected: List<Rejection>,
    ) {
        val (model, settings) = command
        if (cpu == null) return fail(model, rejected)
        enter(EngineState.Starting(model, Processor.CPU, rejected))
        when (val result = trial.attemptCpu(model, cpu.file, settings.threads, accelerators.isNotEmpty())) {
            is TrialResult.Accepted -> {
                use(cpu, result, command, rejected, accelerators.firstOrNull()?.processor)
                search.start(command, accelerators, rejected)
            }
            is TrialResult.Rejected -> {
                val unchecked = accelerators.map { Rejection(it.processor, RejectionReason.NoReference(result.reason)) }
                fail(model, rejected + unchecked + Rejection(Processor.CPU, result.reason))
            }
        }
    }

    /** Takes note of the progress of trying accelerators, and replaces the CPU by one that was accepted. */
    private fun proceed(progress: Command.Tried) {
        val running = active
        val command = lastStart
        if (!search.isCurrent(progress) || running == null || command == null) {
            progress.accepted?.result?.loaded?.close()
            return
        }
        val accepted = progress.accepted
        if (accepted != null) {
            running.loaded.close()
            return use(accepted.candidate, accepted.result, command, progress.rejected)
        }
        val inUse = running.result.inUse.copy(rejected = progress.rejected, trying = progress.trying)
        active = Active(
            running.loaded,
            SegmentationResult(inUse, running.result.map),
            running.reference,
            running.hidesUnsure,
        )
        enter(EngineState.Running(inUse))
    }

    private fun use(
        candidate: Candidate,
        result: TrialResult.Accepted,
        command: Command.Start,
        rejected: List<Rejection>,
        trying: Processor? = null,
    ) {
        val inUse = ProcessorInUse(
            command.model,
            candidate.file,
            candidate.processor,
            command.settings.threads,
            result.check,
            rejected,
            trying,
        )
        active = Active(
            result.loaded,
            SegmentationResult(inUse, result.loaded.newMap()),
            result.reference,
            command.settings.hidesUnsure,
        )
        trial.startUse(candidate)
        recheck.restart()
        enter(EngineState.Running(inUse))
    }

    private fun fail(model: StoredModel, rejected: List<Rejection>) {
        commands.rejectFrames()
        enter(EngineState.Failed(model, rejected))
    }

    private suspend fun process(command: Command.ProcessFrame) {
        if (active == null) lastStart?.let { begin(it) }
        val running = active ?: return command.frame.close()
        val result = running.result
        result.dropped = command.dropped
        if (!read(command.frame, running)) return
        try {
            result.inferenceNanos = running.loaded.run()
            result.outputNanos = nanosOf {
                if (running.hidesUnsure) running.loaded.readSure(result.map) else running.loaded.read(result.map)
            }
        } catch (closed: CancellationException) {
            throw closed
        } catch (failure: Throwable) {
            return fallBack(result.inUse, failure.toReasonInUse())
        }
        // The self-check only covers one image: an out-of-range label has no class to render.
        result.map.invalidLabel(result.inUse.file)?.let { return fallBack(result.inUse, it) }
        listener.onResult(result)
        running.reference?.takeIf { recheck.isDue() }?.let { reference ->
            trial.recheck(result.inUse.processor, running.loaded, reference, result.inUse.check?.nanos ?: 0)
                ?.let { fallBack(result.inUse, it) }
        }
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
    private suspend fun fallBack(failed: ProcessorInUse, reason: RejectionReason) {
        unload()
        trial.logFailure(failed.processor, failed.file, reason)
        val command = lastStart ?: return
        val cpu = failed.model.set.fileFor(Processor.CPU)
            ?.takeIf { failed.processor != Processor.CPU }
            ?.let { Candidate(Processor.CPU, it) }
        startCpu(command, cpu, emptyList(), failed.rejected + Rejection(failed.processor, reason))
    }

    private suspend fun unloadAndSuspend() {
        trial.freeCaches()
        val model = active?.result?.inUse?.model ?: return
        unload()
        // A frame that is still waiting would restart the model at once.
        commands.dropFrame()
        enter(EngineState.Suspended(model))
    }

    private fun end() {
        unload()
        enter(EngineState.Closed)
    }

    private fun unload() {
        search.cancel()
        active?.let {
            it.loaded.close()
            trial.endUse(Candidate(it.result.inUse.processor, it.result.inUse.file))
        }
        active = null
    }

    private fun reportThermalState(status: ThermalStatus) {
        val next = ThermalState(status, commands.maxFps())
        latestThermalState.value = next
        listener.onThermalStateChanged(next)
    }

    private fun enter(next: EngineState) {
        latestState.value = next
        listener.onState(next)
    }

    /** A model in use, its reusable result, and for accelerators the labels that the CPU has of the self-check image. */
    private class Active(
        val loaded: LoadedModel,
        val result: SegmentationResult,
        val reference: CpuReference?,
        val hidesUnsure: Boolean,
    )
}

private inline fun nanosOf(block: () -> Unit): Long {
    val start = System.nanoTime()
    block()
    return System.nanoTime() - start
}
