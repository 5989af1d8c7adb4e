package org.kerassegformer.demo.engine

import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.ReferenceStore
import org.kerassegformer.demo.models.StoredModel
import java.io.File
import java.util.concurrent.atomic.AtomicInteger

/** An engine with fake drivers; several in a row on the same files simulate restarts of the app. */
internal class EngineHarness(
    private val logFile: File,
    private val sdk: Int = 33,
    private val limits: TimeLimits = TimeLimits(loadMillis = 300_000, runMillis = 300_000),
    private val installation: String = "phone, app 1",
    val runners: FakeRunners = FakeRunners(),
    private val lastExit: ExitCause = ExitCause.CRASH,
    private val recheckNanos: Long = Long.MAX_VALUE,
) : AutoCloseable {
    val listener = RecordingListener()
    val thermalMonitor = FakeThermalMonitor()
    val engine: SegmentationEngine by lazy {
        val crashLog = crashLog(logFile, installation, lastExit)
        val trial = ProcessorTrial(ModelLoader(runners, limits, FakeClock::now), stripes, crashLog, references(logFile))
        LiveEngine(trial, DelegatePolicy(sdk), crashLog, thermalMonitor, listener, RecheckSchedule(recheckNanos))
    }

    fun start(choice: ProcessorChoice = ProcessorChoice.AUTO, model: StoredModel = fakeModel()) =
        engine.start(model, EngineSettings(choice, threads = 2))

    /** Starts and waits until the engine is running and tries no other processor. */
    fun run(choice: ProcessorChoice = ProcessorChoice.AUTO, model: StoredModel = fakeModel()): ProcessorInUse {
        start(choice, model)
        return listener.settled()
    }

    /** Submits a frame and waits for its labels. */
    fun segment(frame: FakeFrame): RecordingListener.Result {
        engine.submit(frame)
        return listener.result()
    }

    override fun close() = engine.close()
}

/** The crash log in [file], as a new process reads it after the last one ended by [cause]. */
internal fun crashLog(file: File, installation: String, cause: ExitCause = ExitCause.CRASH) =
    CrashLog(file, installation, processes.incrementAndGet()).also { log -> log.resolveInterrupted { cause } }

/** References beside the crash log [logFile]. */
internal fun references(logFile: File) = ReferenceStore(File(logFile.parentFile, "references"), "phone")

private val processes = AtomicInteger()
