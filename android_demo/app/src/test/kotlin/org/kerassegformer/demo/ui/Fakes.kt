package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.content.Context
import android.graphics.SurfaceTexture
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asCoroutineDispatcher
import org.kerassegformer.core.BenchmarkEntry
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.DeviceInfo
import org.kerassegformer.core.EncodedPart
import org.kerassegformer.core.Fidelity
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.License
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSet
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.OutputSpec
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Precision
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RecordingEnd
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.core.TensorType
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.core.Timing
import org.kerassegformer.core.VideoEncoder
import org.kerassegformer.core.VideoFile
import org.kerassegformer.core.VideoRecording
import org.kerassegformer.core.VideoSize
import org.kerassegformer.demo.benchmark.BenchmarkPlan
import org.kerassegformer.demo.benchmark.BenchmarkProgress
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.camera.CameraListener
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.engine.ProcessorInUse
import org.kerassegformer.demo.engine.Rejection
import org.kerassegformer.demo.engine.RejectionReason
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.engine.SelfCheckMeasurement
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.IfTaken
import org.kerassegformer.demo.models.ImportDocument
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.ModelLocation
import org.kerassegformer.demo.models.ModelStore
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.VideoRecordings
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.Executor

/** A model with three files that do not exist, for engines that read no files. */
internal fun modelNamed(name: String = "b0_camvid", imported: Boolean = false): StoredModel {
    val files = listOf(Precision.FLOAT16, Precision.INT8, Precision.INT8_NPU).map { precision ->
        val type = if (precision == Precision.FLOAT16) TensorType.FLOAT32 else TensorType.UINT8
        val spec = ModelSpec(
            labelSet = CAMVID,
            input = InputSpec(512, 512, type),
            output = OutputSpec(OutputKind.LABELS, 128, 128, 1),
            precision = precision,
            minimumRuntime = RuntimeVersion(2, 9),
            license = License("CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/", nonCommercial = true),
            fidelity = Fidelity(6, 0.995, 0.99),
            bytes = 4_000_000,
            sha256 = "0".repeat(64),
        )
        ModelFile("${name}_${precision.json}", spec)
    }
    val locations = files.associate { it.stem to ModelLocation.OnDisk(File("/nowhere/${it.stem}.tflite")) }
    return StoredModel(ModelSet(name, files), locations, imported)
}

/** A GPU that passed the self-check. */
internal fun gpuOf(model: StoredModel): ProcessorInUse {
    val result = SelfCheckResult(.9964, .98, emptyList())
    val check = SelfCheckMeasurement(result, nanos = 24_000_000, cpuNanos = 96_000_000)
    return ProcessorInUse(model, model.set.files[0], Processor.GPU, threads = 4, check, rejected = emptyList())
}

/** The CPU after both accelerators were rejected. */
internal fun cpuOf(model: StoredModel): ProcessorInUse {
    val result = SelfCheckResult(.6123, .98, listOf("Car"))
    val mismatch = SelfCheckMeasurement(result, nanos = 9_000_000, cpuNanos = 96_000_000)
    val rejected = listOf(
        Rejection(Processor.GPU, RejectionReason.CrashedBefore),
        Rejection(Processor.NNAPI, RejectionReason.LabelMismatch(mismatch)),
    )
    return ProcessorInUse(model, model.set.files[1], Processor.CPU, threads = 4, check = null, rejected)
}

/** A scripted engine on the thread of the caller. */
internal class FakeEngine(private val listener: SegmentationEngine.Listener) : SegmentationEngine {
    /** Returns the state after a start, or null to hang. */
    var onStart: (StoredModel) -> EngineState? = { EngineState.Running(gpuOf(it)) }

    /** Returns the labels of a frame, or null for no response. */
    var answer: (Frame) -> LabelMap? = { StreetScene.uprightLabels() }

    val started = ArrayList<Pair<StoredModel, EngineSettings>>()
    val trimmed = ArrayList<Int>()
    var forgotten = 0
    var closed = false
    private val input = HashMap<Int, ByteBuffer>()

    override var state: EngineState = EngineState.Idle
        private set

    override var thermalState: ThermalState = ThermalState(ThermalStatus.NONE, null)
        private set

    override fun start(model: StoredModel, settings: EngineSettings) {
        started += model to settings
        enter(EngineState.Starting(model, Processor.GPU, emptyList()))
        onStart(model)?.let(::enter)
    }

    fun enter(state: EngineState) {
        this.state = state
        listener.onState(state)
    }

    fun reportThermalState(state: ThermalState) {
        thermalState = state
        listener.onThermalStateChanged(state)
    }

    override fun submit(frame: Frame): Boolean {
        val running = state as? EngineState.Running
        if (running == null) {
            frame.close()
            return false
        }
        val spec = running.inUse.file.spec.input
        val buffer = input.getOrPut(spec.byteCount) {
            ByteBuffer.allocateDirect(spec.byteCount).order(ByteOrder.nativeOrder())
        }
        val start = System.nanoTime()
        frame.writeTo(buffer, spec)
        val inputNanos = System.nanoTime() - start
        frame.close()
        answer(frame)?.let { give(frame.id, frame.cameraNanos, it, running.inUse, inputNanos) }
        return true
    }

    /** Delivers the labels of a frame, at any time. */
    fun give(id: Long, cameraNanos: Long, labels: LabelMap, inUse: ProcessorInUse, inputNanos: Long = 90_000_000) {
        val result = SegmentationResult(inUse, labels)
        result.frameId = id
        result.cameraNanos = cameraNanos
        result.inputNanos = inputNanos
        result.inferenceNanos = 23_600_000
        result.outputNanos = 400_000
        listener.onResult(result)
    }

    /** Reports that a frame could not be used. */
    fun failFrame(id: Long): Unit = listener.onFrameProblem(id, "no such frame")

    override fun dropWaiting(): Unit = Unit

    override fun trimMemory(level: Int) {
        trimmed += level
    }

    override fun forgetFailures() {
        forgotten++
    }

    override fun close() {
        closed = true
    }
}

/** A scripted camera on the thread of the test. */
internal class FakeCamera : CameraSource {
    var sides = listOf(CameraFacing.BACK, CameraFacing.FRONT)

    /** Called when the camera is opened. */
    var onOpen: (CameraFacing, CameraListener) -> Unit = { facing, listener -> listener.onOpened(cameraOf(facing)) }

    val opened = ArrayList<CameraFacing>()
    val torches = ArrayList<Boolean>()
    var listener: CameraListener? = null
        private set

    var released = false
        private set

    override suspend fun findFacings(): List<CameraFacing> = sides

    override fun open(facing: CameraFacing, listener: CameraListener) {
        this.listener = listener
        opened += facing
        onOpen(facing, listener)
    }

    fun cameraOf(facing: CameraFacing) =
        OpenCamera(facing, 90, 640, 480, hasTorch = facing == CameraFacing.BACK, mostZoom = 4f)

    fun give(frame: YuvImage): Unit = checkNotNull(listener).onFrame(frame, cameraOf(opened.last()))

    fun fail(failure: CameraFailure): Unit = checkNotNull(listener).onFailed(failure)

    override fun showOn(texture: SurfaceTexture?): Unit = Unit

    /** JPEG of the next still image; null if the camera takes none. */
    var still: ByteArray? = null

    override suspend fun takeStill(): ByteArray? = still

    val zooms = ArrayList<Float>()
    val focuses = ArrayList<Pair<Float, Float>>()

    override fun setZoom(zoom: Float) {
        zooms += zoom
    }

    override fun focusAt(x: Float, y: Float) {
        focuses += x to y
    }

    override fun setTorch(on: Boolean) {
        torches += on
    }

    override fun close() {
        listener = null
    }

    override fun release() {
        close()
        released = true
    }
}

/** Models in memory. */
internal class FakeStore(var listing: ModelListing = ModelListing(listOf(modelNamed()), emptyMap())) : ModelStore {
    var onImport: (List<ImportDocument>) -> List<StoredModel> = { emptyList() }
    val removed = ArrayList<StoredModel>()

    override fun list(): ModelListing = listing

    val answers = ArrayList<IfTaken>()

    override suspend fun import(documents: List<ImportDocument>, ifTaken: IfTaken): List<StoredModel> {
        answers += ifTaken
        return onImport(documents)
    }

    override fun remove(model: StoredModel) {
        removed += model
        listing = listing.copy(models = listing.models - model)
    }
}

/** A benchmark with made-up figures. */
internal class FakeBenchmark(private val onRun: (BenchmarkPlan) -> Unit = {}) : BenchmarkRunner {
    override suspend fun run(
        plan: BenchmarkPlan,
        progress: (BenchmarkProgress) -> Unit,
        isCancelled: () -> Boolean,
    ): BenchmarkReport {
        progress(BenchmarkProgress(plan.models.first().name, Processor.GPU, done = 17, total = 150))
        onRun(plan)
        return reportOf(plan)
    }

    internal companion object {
        fun reportOf(plan: BenchmarkPlan): BenchmarkReport {
            val device = DeviceInfo("maker", "phone", "board", "15", 35, "arm64-v8a", 8, "2.16.1", "0.1.0")
            val entries = plan.models.flatMap { model -> plan.processors.map { entryOf(model, it, plan) } }
            return BenchmarkReport(device, "2026-01-01T00:00:00Z", entries)
        }

        private fun entryOf(model: StoredModel, processor: Processor, plan: BenchmarkPlan): BenchmarkEntry {
            val file = checkNotNull(model.set.fileFor(processor))
            val left = processor == Processor.NNAPI
            val median = if (processor == Processor.GPU) 24.0 else 96.0
            return BenchmarkEntry(
                model = model.name,
                sha256 = file.spec.sha256,
                precision = file.spec.precision,
                processor = processor,
                runtime = null,
                threads = plan.threads.takeIf { processor == Processor.CPU },
                warmup = plan.warmUp,
                runs = plan.runs,
                loadMillis = 800.0.takeUnless { left },
                timings = if (left) emptyMap() else mapOf(Phase.INFERENCE to Timing(median, median * 1.1, plan.runs)),
                agreement = .9964.takeIf { processor == Processor.GPU },
                thermalBefore = ThermalStatus.NONE,
                thermalAfter = ThermalStatus.LIGHT,
                error = "This version of Android has no NNAPI.".takeIf { left },
            )
        }
    }
}

/** Recordings into files that hold the times of their frames. */
internal class FakeRecordings : VideoRecordings {
    val sizes = ArrayList<VideoSize>()
    val frames = ArrayList<IntArray>()
    val times = ArrayList<Long>()
    var freeBytes = Long.MAX_VALUE
    var isBroken = false

    override fun start(file: File, size: VideoSize, onEnd: (RecordingEnd) -> Unit): VideoRecording<IntArray, *> {
        sizes += size
        return VideoRecording(Encoder(), Target(file), onEnd = onEnd)
    }

    private inner class Encoder : VideoEncoder<IntArray, Unit> {
        private var isStarted = false
        private var waiting: Long? = null

        override fun encode(picture: IntArray, micros: Long): Boolean {
            check(!isBroken) { "no encoder" }
            frames += picture.copyOf()
            waiting = micros
            return true
        }

        override fun drain(atEnd: Boolean, receive: (EncodedPart<Unit>) -> Unit) {
            if (!isStarted) receive(EncodedPart.Format(Unit))
            isStarted = true
            waiting?.let { receive(EncodedPart.Sample(ByteBuffer.allocate(1), it, isKey = true)) }
            waiting = null
        }

        override fun close() = Unit
    }

    private inner class Target(private val file: File) : VideoFile<Unit> {
        override val freeBytes: Long get() = this@FakeRecordings.freeBytes

        override fun start(format: Unit) = Unit

        override fun write(sample: EncodedPart.Sample) {
            times += sample.micros
            file.appendText("${sample.micros} ")
        }

        override fun finish() = file.appendText("end")

        override fun remove() {
            file.delete()
        }

        override fun close() = Unit
    }
}

/** Scripted dependencies. */
internal class FakeAppContainer(context: Context) : AppContainer {
    override val resolver: ContentResolver = context.contentResolver
    override val settings = SettingsStore(context.getSharedPreferences("settings", Context.MODE_PRIVATE))
    override val models = FakeStore()
    /** Runs work in the background; a test may delay it. */
    var runFileTask: (Runnable) -> Unit = Runnable::run

    /** Paints labels; a test may delay it. */
    var runPainting: (Runnable) -> Unit = Runnable::run
    override val dispatchers = AppDispatchers(
        files = Executor { runFileTask(it) }.asCoroutineDispatcher(),
        encoding = Executor(Runnable::run).asCoroutineDispatcher(),
        painting = Executor { runPainting(it) }.asCoroutineDispatcher(),
    )
    override var unsupported: Set<Processor> = emptySet()
    override val scope: CoroutineScope = newScope()
    override val videoFolder: File = context.cacheDir
    override val recordings = FakeRecordings()
    val camera = FakeCamera()
    val engines = ArrayList<FakeEngine>()
    var prepareEngine: (FakeEngine) -> Unit = {}
    var makeEngine: (SegmentationEngine.Listener) -> SegmentationEngine =
        { listener -> FakeEngine(listener).also(prepareEngine).also(engines::add) }
    var benchmark: BenchmarkRunner = FakeBenchmark()

    val engine: FakeEngine get() = engines.last()

    override fun newCamera(): CameraSource = camera

    override fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine = makeEngine(listener)

    override fun newBenchmark(): BenchmarkRunner = benchmark
}
