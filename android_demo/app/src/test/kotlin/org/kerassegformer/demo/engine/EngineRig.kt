package org.kerassegformer.demo.engine

import org.kerassegformer.core.AttemptMemory
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.models.StoredModel
import java.io.File

/** An app with fakes for drivers, that can die and be started again over the same files. */
internal class EngineRig(
    private val notes: File,
    private val sdk: Int = 33,
    private val limits: TimeLimits = TimeLimits(loadMillis = 20_000, runMillis = 20_000),
    private val installation: String = "phone, app 1",
    val runners: FakeRunners = FakeRunners(),
) : AutoCloseable {
    val listener = RecordingListener()
    val heat = FakeHeat()
    val engine: SegmentationEngine by lazy {
        val notes = tryNotes(notes, installation)
        val trial = ProcessorTrial(ModelLoader(runners, limits), stripes, notes)
        LiveEngine(trial, DelegatePolicy(sdk), notes, heat, listener)
    }

    fun start(choice: ProcessorChoice = ProcessorChoice.AUTO, model: StoredModel = fakeModel()) =
        engine.start(model, EngineSettings(choice, threads = 2))

    /** Starts and waits until frames are taken. */
    fun run(choice: ProcessorChoice = ProcessorChoice.AUTO, model: StoredModel = fakeModel()): ProcessorInUse {
        start(choice, model)
        return listener.await<EngineState.Running>().inUse
    }

    /** Submits a frame and waits for its labels. */
    fun segment(frame: FakeFrame): RecordingListener.Result {
        engine.submit(frame)
        return listener.result()
    }

    override fun close() = engine.close()
}

/** Notes in [file] and beside it. */
internal fun tryNotes(file: File, installation: String): TryNotes =
    TryNotes(AttemptMemory(file, installation), File("${file.path}.current"))
