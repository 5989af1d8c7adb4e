package org.kerassegformer.demo.ui

import android.graphics.SurfaceTexture
import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.os.SystemClock
import android.util.Log
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Point
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.camera.CameraFrameReader
import org.kerassegformer.demo.camera.CameraListener
import org.kerassegformer.demo.camera.CameraModelFrame
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.camera.PicturePool
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.CapturedStill
import org.kerassegformer.demo.pictures.MaskPainter
import org.kerassegformer.demo.pictures.PictureException
import org.kerassegformer.demo.pictures.PictureFrame
import org.kerassegformer.demo.pictures.PictureProblem
import org.kerassegformer.demo.pictures.PictureReader
import org.kerassegformer.demo.pictures.SegmentedPicture

/** The activity of a [LiveSession]. All methods are called on the main thread. */
internal interface LiveHost {
    fun askPermission()

    fun openAppSettings()

    fun choosePicture()

    fun leave()

    /** The state of the screen, the models, the settings or the engine changed. */
    fun showState()

    /** The displayed image changed. */
    fun showPicture()

    /** Shows a short message. */
    fun notify(text: String)

    /** Shows why an import failed. */
    fun showImportProblem(text: String)

    /** Asks whether an imported model replaces the one of that name, and continues the import. */
    fun askToReplace(text: String, documents: List<Uri>)

    /** Opens the share sheet for a saved image. */
    fun share(picture: Uri)

    /** Called once per second to update latencies and thermal state. */
    fun showLatency()
}

/**
 * State that survives configuration changes: the engine, the camera, the images and the state of the screen. Main
 * thread only, unless noted otherwise.
 */
internal class LiveSession(private val container: AppContainer) {
    /** Latencies of the latest frames. */
    val stats = LatencyStats()

    @Volatile
    var state = ScreenState()
        private set

    @Volatile
    var settings: Settings = container.settings.read()
        private set

    /** The available models; null until they are read. */
    var listing: ModelListing? = null
        private set

    var engineState: EngineState = EngineState.Idle
        private set

    /** The displayed image, without a mask before inference; null if there is none. */
    var shown: SegmentedPicture? = null
        private set

    /** The current activity; null if there is none. */
    var host: LiveHost? = null

    /** The open camera, or null. */
    var openCamera: OpenCamera? = null
        private set

    /** Rotation of the display in degrees; read on the camera's thread. */
    @Volatile
    var displayDegrees = 0
        private set

    val thermalState: ThermalState get() = engine.thermalState

    /** The still image with its mask that can be saved, or null. */
    val savable: SegmentedPicture? get() = shown?.takeIf { state.still && it.mask != null }

    /** Delay of temporal smoothing, in frames. */
    val smoothingDelay: Int get() = MaskPainter.DELAY_FRAMES

    private val main = Handler(Looper.getMainLooper())
    private val painting = HandlerThread("painting").apply { start() }
    private val paintHandler = Handler(painting.looper)
    private val painter = MaskPainter()
    private val reader = CameraFrameReader()
    private val picturePool = PicturePool()
    private val camera = container.newCamera()
    private val engine = container.newEngine(EngineListener())
    private val stall = StallDetector()
    private val ticker = Runnable(::tick)
    private var still: SegmentedPicture? = null
    private var shownAt = 0L
    private var picturesAsked = 0
    private var stillsAsked = 0
    private var closed = false

    /** True if camera frames are analysed; read on the camera's thread. */
    @Volatile
    private var analysing = false

    /** Incremented when the source changes; results of earlier epochs are ignored. */
    @Volatile
    private var epoch = 0

    /** The image being segmented. Guarded by itself. */
    private val stillsInModel = HashMap<Long, SegmentedPicture>()

    init {
        reloadModels()
    }

    /** Restores the state after process death. Call before the first [ScreenEvent.Started]. */
    fun restore(snapshot: ScreenSnapshot) {
        state = snapshot.putInto(state)
        snapshot.picture?.let { dispatch(ScreenEvent.PictureChosen(it)) }
    }

    /** Handles an event. */
    fun dispatch(event: ScreenEvent) {
        if (event == ScreenEvent.ToggleFreeze && !state.frozen && shown?.map == null) return
        val selected = state.selectedClass
        val transition = ScreenStateMachine.next(state, event)
        state = transition.state
        analysing = state.analysing
        transition.effects.forEach(::perform)
        if (selected != state.selectedClass) repaintStill()
        if (!state.analysing && state.pictureStatus != PictureStatus.Analysing) stall.stop()
        host?.showState()
    }

    private fun perform(effect: ScreenEffect) {
        when (effect) {
            ScreenEffect.AskPermission -> host?.askPermission()
            ScreenEffect.OpenAppSettings -> host?.openAppSettings()
            ScreenEffect.ChoosePicture -> host?.choosePicture()
            ScreenEffect.Leave -> host?.leave()
            is ScreenEffect.OpenCamera -> camera.open(effect.facing, FrameListener())
            ScreenEffect.CloseCamera -> closeCamera()
            ScreenEffect.TakeStill -> takeStill()
            is ScreenEffect.SetTorch -> camera.setTorch(effect.on)
            is ScreenEffect.SetZoom -> camera.setZoom(effect.zoom)
            is ScreenEffect.Focus -> focusAt(effect.x, effect.y)
            is ScreenEffect.ReadPicture -> readPicture(effect.address)
            ScreenEffect.ClearResult -> clearResult()
            ScreenEffect.StartModel -> startModel()
            ScreenEffect.ForgetFailures -> engine.forgetFailures()
            ScreenEffect.AnalysePicture -> analysePicture()
        }
    }

    /** Results of work in the background for the activity, also if it is recreated meanwhile. */
    val mailbox = Mailbox<LiveHost>()

    /** The activity was started. */
    fun start(allowed: Boolean) {
        mailbox.owner = host
        dispatch(ScreenEvent.Started(allowed))
        camera.findFacings { if (!closed) dispatch(ScreenEvent.CamerasFound(it)) }
        main.removeCallbacks(ticker)
        main.postDelayed(ticker, TICK_MILLIS)
    }

    /** The display was rotated to [degrees] from the natural orientation of the device. */
    fun turn(degrees: Int) {
        if (degrees == displayDegrees) return
        displayDegrees = degrees
        host?.showState()
    }

    /** The activity was stopped. */
    fun stop() {
        mailbox.owner = null
        main.removeCallbacks(ticker)
        dispatch(ScreenEvent.Stopped)
    }

    /** Releases all resources; the session cannot be used afterwards. */
    fun close() {
        closed = true
        host = null
        analysing = false
        main.removeCallbacksAndMessages(null)
        camera.release()
        engine.close()
        painting.quitSafely()
    }

    /** Frees memory. @param level level of `ComponentCallbacks2.onTrimMemory` */
    fun trimMemory(level: Int) {
        picturePool.trim()
        engine.trimMemory(level)
    }

    /** Sets the preview texture, or removes it if null. */
    fun showPreviewOn(texture: SurfaceTexture?): Unit = camera.showOn(texture)

    /** Saves changed settings and restarts the model if they affect it. */
    fun change(settings: Settings) {
        val before = this.settings
        this.settings = settings
        container.settings.write(settings)
        val other = before.model != settings.model || before.modelImported != settings.modelImported
        if (other || before.engine != settings.engine) startModel() else host?.showState()
    }

    /** Reloads the list of models and selects the new [model]. */
    fun choose(model: StoredModel) {
        settings = settings.copy(model = model.name, modelImported = model.imported)
        container.settings.write(settings)
        reloadModels()
    }

    /** Reloads the list of models and starts the selected one. */
    fun reloadModels() {
        container.files.execute {
            val read = container.models.list()
            main.post {
                listing = read
                startModel()
            }
        }
    }

    /** The selected model, or the first one; null if there is none. */
    val model: StoredModel?
        get() {
            val models = listing?.models.orEmpty()
            return models.find { it.name == settings.model && it.imported == settings.modelImported }
                ?: models.firstOrNull()
        }

    /** Clears the crash log and restarts the model. */
    fun forgetFailures() {
        engine.forgetFailures()
        startModel()
    }

    private fun startModel() {
        val model = model
        stats.reset()
        stall.stop()
        if (model == null) {
            if (listing != null) dispatch(ScreenEvent.ModelChanged(ModelStatus.NONE))
            return
        }
        // Labels of the previous model must not be shown under the name of the new one.
        if (!state.frozen) clearResult()
        engine.start(model, settings.engine)
    }

    private fun closeCamera() {
        camera.close()
        openCamera = null
        engine.dropWaiting()
        picturePool.discardAll()
    }

    private fun focusAt(x: Float, y: Float) {
        val open = openCamera ?: return
        val point = orientationOf(open).undo(Point(x.toDouble(), y.toDouble()))
        camera.focusAt(point.x.toFloat(), point.y.toFloat())
    }

    /** What makes the frames of a camera upright on the display. */
    private fun orientationOf(open: OpenCamera): Orientation =
        Orientation.ofCamera(open.sensorDegrees, displayDegrees, open.facing == CameraFacing.FRONT)

    private fun clearResult() {
        epoch++
        picturePool.discardAll()
        synchronized(stillsInModel) { stillsInModel.clear() }
        paintHandler.post(painter::reset)
        // The opened image stays on the screen without a mask.
        val bare = still?.takeIf { state.source == Source.PICTURE }
        show(bare?.let { SegmentedPicture(it.picture) })
        if (state.source == Source.CAMERA) still = null
    }

    private fun readPicture(address: String) {
        still = null
        show(null)
        val number = ++picturesAsked
        container.files.execute {
            val read = runCatching { PictureReader(container.resolver).read(Uri.parse(address)) }
            main.post {
                if (number != picturesAsked) return@post
                read.onSuccess { bitmap ->
                    still = SegmentedPicture(bitmap)
                    show(still)
                    dispatch(ScreenEvent.PictureRead)
                }.onFailure { error ->
                    val problem = (error as? PictureException ?: throw error).problem
                    dispatch(ScreenEvent.PictureFailed(problem))
                }
            }
        }
    }

    /** Replaces the frozen frame by an image at the size of the sensor, with labels of its own. */
    private fun takeStill() {
        val open = openCamera ?: return
        val orientation = orientationOf(open)
        val number = ++stillsAsked
        fun isWanted() = number == stillsAsked && state.frozen
        camera.takeStill { jpeg ->
            if (jpeg == null || !isWanted()) return@takeStill
            container.files.execute {
                val captured = CapturedStill(jpeg, orientation)
                val read = runCatching { PictureReader(container.resolver).read(captured) }
                main.post {
                    // The frame stays if the image cannot be decoded.
                    val bitmap = read.onFailure { Log.w(TAG, "No still image.", it) }.getOrNull()
                    if (bitmap != null && isWanted()) analyse(SegmentedPicture(bitmap, captured))
                }
            }
        }
    }

    private fun analysePicture() {
        val bitmap = still?.picture ?: return
        if (analyse(SegmentedPicture(bitmap))) stall.submitted(SystemClock.elapsedRealtime())
    }

    /** Submits an image other than a frame. @return false if the engine accepts none */
    private fun analyse(picture: SegmentedPicture): Boolean {
        val id = picturePool.newId()
        synchronized(stillsInModel) {
            stillsInModel.clear()
            stillsInModel[id] = picture
        }
        return engine.submit(PictureFrame(id, picture))
    }

    /** Displays an image and recycles the previous one, unless the new one shares its bitmap. */
    private fun show(picture: SegmentedPicture?) {
        val before = shown
        shown = picture
        shownAt = SystemClock.elapsedRealtime()
        host?.showPicture()
        if (before?.picture !== picture?.picture) picturePool.recycle(before)
    }

    private fun repaintStill() {
        val source = shown?.takeIf { state.still } ?: return
        val onlyClass = state.selectedClass
        val epoch = epoch
        paintHandler.post {
            val copy = source.copyLabels()
            painter.paint(copy, onlyClass)
            main.post { if (epoch == this.epoch && shown === source) show(copy) }
        }
    }

    private fun tick() {
        val now = SystemClock.elapsedRealtime()
        val old = now - shownAt > MOST_AGE_MILLIS
        // Rather show the preview without a mask than an outdated frame.
        if (old && state.analysing && shown != null) show(null)
        if (stall.isStalled(now, thermalState) && state.model == ModelStatus.RUNNING) {
            stall.stop()
            dispatch(ScreenEvent.ModelChanged(ModelStatus.STALLED))
            if (state.source == Source.CAMERA && !state.frozen) show(null)
        }
        host?.showLatency()
        main.postDelayed(ticker, TICK_MILLIS)
    }

    /** Receives camera events. */
    private inner class FrameListener : CameraListener {
        override fun onOpened(camera: OpenCamera) {
            openCamera = camera
            dispatch(ScreenEvent.CameraOpened(camera.hasTorch, camera.mostZoom))
        }

        /** Called on the camera's thread. */
        override fun onFrame(image: YuvImage, camera: OpenCamera) {
            val orientation = orientationOf(camera)
            val swaps = orientation.rotation.swapsSides
            val width = if (swaps) image.height else image.width
            val height = if (swaps) image.width else image.height
            val id = picturePool.newId()
            val picture = if (analysing) picturePool.acquire(id, width, height) else null
            if (picture == null) {
                image.close()
                return
            }
            stall.submitted(SystemClock.elapsedRealtime())
            engine.submit(
                CameraModelFrame(id, image.ageNanos, image, orientation, picture, reader, picturePool::discard),
            )
        }

        override fun onFailed(failure: CameraFailure) {
            openCamera = null
            dispatch(ScreenEvent.CameraFailed(failure))
        }

        override fun onAvailable(): Unit = dispatch(ScreenEvent.CameraAvailable)
    }

    /** Receives engine events, on the engine's thread. */
    private inner class EngineListener : SegmentationEngine.Listener {
        override fun onState(state: EngineState) {
            main.post {
                // The latencies of the CPU say nothing about the accelerator that replaces it.
                if (processorOf(state) != processorOf(engineState)) stats.reset()
                engineState = state
                // Frames that waited for the model to load do not count as stalled.
                stall.stop()
                dispatch(ScreenEvent.ModelChanged(statusOf(state)))
            }
        }

        override fun onResult(result: SegmentationResult) {
            val picture = picturePool.claim(result.frameId)
                ?: synchronized(stillsInModel) { stillsInModel.remove(result.frameId) }
                ?: return
            stall.answered()
            // The engine counts the conversion of the displayed image as preprocessing; it belongs to rendering.
            result.inputNanos -= picture.pictureNanos
            result.recordIn(stats)
            picture.label(result.map, result.inUse.file.spec.labelSet)
            val epoch = epoch
            val isVideo = result.cameraNanos > 0
            paintHandler.post { paint(picture, epoch, isVideo) }
        }

        override fun onFrameProblem(frameId: Long, detail: String) {
            Log.w(TAG, "A frame was skipped: $detail")
            picturePool.discard(frameId)
            synchronized(stillsInModel) { stillsInModel.remove(frameId) } ?: return
            main.post { dispatch(ScreenEvent.PictureFailed(PictureProblem.CORRUPT)) }
        }

        override fun onThermalStateChanged(state: ThermalState) {
            main.post { host?.showLatency() }
        }
    }

    /** Called on the painting thread. */
    private fun paint(picture: SegmentedPicture, epoch: Int, isVideo: Boolean) {
        val start = System.nanoTime()
        painter.paint(picture, state.selectedClass, smoothing = isVideo && settings.smoothing)
        stats.record(Phase.DRAW, System.nanoTime() - start + picture.pictureNanos)
        main.post { showResult(picture, epoch) }
    }

    private fun showResult(picture: SegmentedPicture, epoch: Int) {
        // A frozen frame is only replaced by its still image.
        val isWanted = state.frozen == (picture.still != null)
        if (epoch != this.epoch || !isWanted) {
            picturePool.recycle(picture)
            return
        }
        stats.frameShown(System.nanoTime())
        show(picture)
        if (state.source == Source.PICTURE) dispatch(ScreenEvent.PictureAnalysed)
    }

    private companion object {
        const val TAG = "LiveSession"
        const val TICK_MILLIS = 1_000L

        /** Maximum age of a displayed camera frame. */
        const val MOST_AGE_MILLIS = 3_000L

        fun processorOf(state: EngineState): Processor? = (state as? EngineState.Running)?.inUse?.processor

        fun statusOf(state: EngineState): ModelStatus = when (state) {
            EngineState.Idle, EngineState.Closed -> ModelStatus.NONE
            is EngineState.Starting -> ModelStatus.STARTING
            is EngineState.Running, is EngineState.Suspended -> ModelStatus.RUNNING
            is EngineState.Failed -> ModelStatus.FAILED
        }
    }
}
