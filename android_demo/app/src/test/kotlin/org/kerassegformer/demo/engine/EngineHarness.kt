package org.kerassegformer.demo.engine

import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.PassedChecks
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
    private val driver: String = "driver 1",
) : AutoCloseable {
    val listener = RecordingListener()
    val thermalMonitor = FakeThermalMonitor()
    val engine: SegmentationEngine by lazy {
        val crashLog = crashLog(logFile, installation, lastExit)
        val loader = ModelLoader(runners, limits, FakeClock::now)
        val trial = newTrial(loader, stripes, crashLog, logFile, lastExit, installation, driver)
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
    CrashLog(file, { installation }, processes.incrementAndGet()).also { log -> log.resolveInterrupted { cause } }

/** A trial with its files beside the crash log [logFile], after the last process ended by [cause]. */
internal fun newTrial(
    loader: ModelLoader,
    image: SelfCheckImage,
    crashLog: CrashLog,
    logFile: File,
    cause: ExitCause = ExitCause.CRASH,
    installation: String = "phone",
    driver: String = "driver 1",
): ProcessorTrial {
    val references = ReferenceStore(File(logFile.parentFile, "references"), { "phone" })
    val passesFile = File(logFile.parentFile, "passes.json")
    val passes = PassedChecks(passesFile, { installation }, processes.incrementAndGet(), { driver })
    return ProcessorTrial(loader, image, crashLog, references, passes) { cause }
}

private val processes = AtomicInteger()
