package org.kerassegformer.demo.ui

import android.graphics.SurfaceTexture
import android.net.Uri
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.os.SystemClock
import android.util.Log
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.Phase
import org.kerassegformer.core.Point
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.camera.CameraListener
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.camera.PicturePool
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.CapturedStill
import org.kerassegformer.demo.pictures.PictureException
import org.kerassegformer.demo.pictures.PictureFrame
import org.kerassegformer.demo.pictures.PictureProblem
import org.kerassegformer.demo.pictures.SegmentedPicture

/** The activity of a [LiveSession]. All methods are called on the main thread. */
internal interface LiveHost {
    fun askPermission()

    fun openAppSettings()

    fun choosePicture()

    fun leave()

    /** Something changed: shows the new state. */
    fun show(ui: UiState)

    /** Shows a short message. */
    fun notify(text: String)

    /** Shows a short message of the resources. */
    fun notify(text: Int)

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
 * What survives configuration changes: runs the engine and the camera by the transitions of [ScreenStateMachine], and
 * keeps the [UiState] that its host shows. Main thread only, unless noted otherwise.
 */
internal class LiveSession(private val container: AppContainer) {
    /** Latencies of the latest frames. */
    val stats = LatencyStats()

    /** What the screen shows. Written on the main thread, read on any. */
    @Volatile
    var ui = UiState(settings = container.settings.read())
        private set

    /** The current activity; null if there is none. */
    var host: LiveHost? = null

    /** Seconds of the video that is recorded; null if there is none. */
    val recordedSeconds: Int? get() = recording.seconds

    private val main = Handler(Looper.getMainLooper())
    private val painting = Painting()
    private val recording = LiveRecording(container, ::recordingEnded)
    private val picturePool = PicturePool()
    private val frames = CameraFrames(picturePool)
    private val pictures = PictureLoader(container.files, container.resolver)
    private val stills = PictureLoader(container.files, container.resolver)
    private val camera = container.newCamera()
    private val engine = container.newEngine(EngineListener())
    private val stall = StallDetector()
    private val ticker = Runnable(::tick)
    private var still: SegmentedPicture? = null
    private var shownAt = 0L
    private var stillsAsked = 0

    @Volatile
    private var closed = false

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
        update { it.copy(screen = snapshot.putInto(it.screen)) }
        snapshot.picture?.let { dispatch(ScreenEvent.PictureChosen(it)) }
    }

    /** Handles an event. */
    fun dispatch(event: ScreenEvent) {
        if (closed) return
        val before = ui.screen
        if (event == ScreenEvent.ToggleFreeze && !before.frozen && ui.shown?.map == null) return
        val transition = ScreenStateMachine.next(before, event)
        ui = ui.copy(screen = transition.state)
        transition.effects.forEach(::perform)
        if (before.selectedClass != ui.screen.selectedClass) repaintStill()
        if (!ui.screen.analysing && ui.screen.pictureStatus != PictureStatus.Analysing) stall.stop()
        host?.show(ui)
    }

    private fun update(change: (UiState) -> UiState) {
        ui = change(ui)
        host?.show(ui)
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
            ScreenEffect.StartRecording -> startRecording()
            ScreenEffect.StopRecording -> recording.stop()
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
        if (degrees != ui.displayDegrees) update { it.copy(displayDegrees = degrees) }
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
        recording.stop()
        main.removeCallbacksAndMessages(null)
        camera.release()
        engine.close()
        painting.close()
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
        val before = ui.settings
        container.settings.write(settings)
        update { it.copy(settings = settings) }
        val other = before.model != settings.model || before.modelImported != settings.modelImported
        if (other || before.engine != settings.engine) startModel()
    }

    /** Reloads the list of models and selects the new [model]. */
    fun choose(model: StoredModel) {
        val settings = ui.settings.copy(model = model.name, modelImported = model.imported)
        container.settings.write(settings)
        ui = ui.copy(settings = settings)
        reloadModels()
    }

    /** Reloads the list of models and starts the selected one. */
    fun reloadModels() {
        container.files.execute {
            val read = container.models.list()
            main.post {
                update { it.copy(listing = read) }
                startModel()
            }
        }
    }

    /** Clears the crash log and restarts the model. */
    fun forgetFailures() {
        engine.forgetFailures()
        startModel()
    }

    private fun startModel() {
        val model = ui.model
        stats.reset()
        stall.stop()
        if (model == null) {
            if (ui.listing != null) dispatch(ScreenEvent.ModelChanged(ModelStatus.NONE))
            return
        }
        // Labels of the previous model must not be shown under the name of the new one.
        if (!ui.screen.frozen) clearResult()
        engine.start(model, ui.settings.engine)
    }

    private fun closeCamera() {
        camera.close()
        ui = ui.copy(camera = null)
        engine.dropWaiting()
        picturePool.discardAll()
    }

    private fun focusAt(x: Float, y: Float) {
        val open = ui.camera ?: return
        val point = orientationOf(open).undo(Point(x.toDouble(), y.toDouble()))
        camera.focusAt(point.x.toFloat(), point.y.toFloat())
    }

    /** What makes the frames of a camera upright on the display. */
    private fun orientationOf(open: OpenCamera): Orientation =
        Orientation.ofCamera(open.sensorDegrees, ui.displayDegrees, open.facing == CameraFacing.FRONT)

    private fun clearResult() {
        epoch++
        picturePool.discardAll()
        synchronized(stillsInModel) { stillsInModel.clear() }
        painting.reset()
        // The opened image stays on the screen without a mask.
        val bare = still?.takeIf { ui.screen.source == Source.PICTURE }
        show(bare?.let { SegmentedPicture(it.picture) })
        if (ui.screen.source == Source.CAMERA) still = null
    }

    private fun readPicture(address: String) {
        still = null
        show(null)
        pictures.load(address) { read ->
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

    private fun recordingEnded(text: Int?, endedItself: Boolean) {
        if (endedItself) dispatch(ScreenEvent.RecordingEnded)
        if (text != null) mailbox.post { it.notify(text) }
    }

    private fun startRecording() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            recording.start()
        } else {
            dispatch(ScreenEvent.RecordingEnded)
            mailbox.post { it.notify(R.string.video_needs_android_10) }
        }
    }

    /** Replaces the frozen frame by an image at the size of the sensor, with labels of its own. */
    private fun takeStill() {
        val open = ui.camera ?: return
        val orientation = orientationOf(open)
        val number = ++stillsAsked
        fun isWanted() = number == stillsAsked && ui.screen.frozen
        camera.takeStill { jpeg ->
            if (jpeg == null || !isWanted()) return@takeStill
            val captured = CapturedStill(jpeg, orientation)
            stills.load(captured) { read ->
                // The frame stays if the image cannot be decoded.
                val bitmap = read.onFailure { Log.w(TAG, "No still image.", it) }.getOrNull()
                if (bitmap != null && isWanted()) analyse(SegmentedPicture(bitmap, captured))
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
        val before = ui.shown
        shownAt = SystemClock.elapsedRealtime()
        update { it.copy(shown = picture) }
        if (before?.picture !== picture?.picture) picturePool.recycle(before)
    }

    private fun repaintStill() {
        val source = ui.shown?.takeIf { ui.screen.still } ?: return
        val onlyClass = ui.screen.selectedClass
        val epoch = epoch
        val copy = source.copyLabels()
        painting.paint(copy, onlyClass = { onlyClass }) {
            if (epoch == this.epoch && ui.shown === source) show(copy)
        }
    }

    private fun tick() {
        val now = SystemClock.elapsedRealtime()
        val old = now - shownAt > MOST_AGE_MILLIS
        // Rather show the preview without a mask than an outdated frame.
        if (old && ui.screen.analysing && ui.shown != null) show(null)
        if (stall.isStalled(now, ui.thermal) && ui.screen.model == ModelStatus.RUNNING) {
            stall.stop()
            dispatch(ScreenEvent.ModelChanged(ModelStatus.STALLED))
            if (ui.screen.source == Source.CAMERA && !ui.screen.frozen) show(null)
        }
        host?.showLatency()
        main.postDelayed(ticker, TICK_MILLIS)
    }

    /** Receives camera events. */
    private inner class FrameListener : CameraListener {
        override fun onOpened(camera: OpenCamera) {
            ui = ui.copy(camera = camera)
            dispatch(ScreenEvent.CameraOpened(camera.hasTorch, camera.mostZoom))
        }

        /** Called on the camera's thread. */
        override fun onFrame(image: YuvImage, camera: OpenCamera) {
            val isWanted = !closed && ui.screen.analysing
            if (!isWanted) return image.close()
            val frame = frames.frameOf(image, orientationOf(camera)) ?: return
            stall.submitted(SystemClock.elapsedRealtime())
            engine.submit(frame)
        }

        override fun onFailed(failure: CameraFailure) {
            ui = ui.copy(camera = null)
            dispatch(ScreenEvent.CameraFailed(failure))
        }

        override fun onAvailable(): Unit = dispatch(ScreenEvent.CameraAvailable)
    }

    /** Receives engine events, on the engine's thread. */
    private inner class EngineListener : SegmentationEngine.Listener {
        override fun onState(state: EngineState) {
            main.post {
                // The latencies of the CPU say nothing about the accelerator that replaces it.
                if (processorOf(state) != processorOf(ui.engine)) stats.reset()
                ui = ui.copy(engine = state)
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
            painting.paint(picture, { ui.screen.selectedClass }, { isVideo && ui.settings.smoothing }) { nanos ->
                stats.record(Phase.DRAW, nanos + picture.pictureNanos)
                showResult(picture, epoch)
            }
        }

        override fun onFrameProblem(frameId: Long, detail: String) {
            Log.w(TAG, "A frame was skipped: $detail")
            picturePool.discard(frameId)
            synchronized(stillsInModel) { stillsInModel.remove(frameId) } ?: return
            main.post { dispatch(ScreenEvent.PictureFailed(PictureProblem.CORRUPT)) }
        }

        override fun onThermalStateChanged(state: ThermalState) {
            main.post { update { it.copy(thermal = state) } }
        }
    }

    private fun showResult(picture: SegmentedPicture, epoch: Int) {
        // A frozen frame is only replaced by its still image.
        val isWanted = ui.screen.frozen == (picture.still != null)
        if (epoch != this.epoch || !isWanted) {
            picturePool.recycle(picture)
            return
        }
        stats.frameShown(System.nanoTime())
        show(picture)
        if (ui.screen.recording) recording.add(picture, ui.settings.opacity / SettingsStore.FULL_OPACITY.toFloat())
        if (ui.screen.source == Source.PICTURE) dispatch(ScreenEvent.PictureAnalysed)
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
