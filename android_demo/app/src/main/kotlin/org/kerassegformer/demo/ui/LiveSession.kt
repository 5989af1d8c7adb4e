package org.kerassegformer.demo.ui

import android.content.ContentResolver
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
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.camera.CameraFrameReader
import org.kerassegformer.demo.camera.CameraListener
import org.kerassegformer.demo.camera.CameraModelFrame
import org.kerassegformer.demo.camera.CameraPictures
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Heat
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.MaskPainter
import org.kerassegformer.demo.pictures.MaskedPicture
import org.kerassegformer.demo.pictures.PictureException
import org.kerassegformer.demo.pictures.PictureFrame
import org.kerassegformer.demo.pictures.PictureProblem
import org.kerassegformer.demo.pictures.PictureReader

/** What only an activity can do for a [LiveSession], and how it is shown. All on the main thread. */
internal interface LiveHost {
    fun askPermission()

    fun openAppSettings()

    fun choosePicture()

    fun leave()

    /** The state has changed, or what is behind it: models, settings, the engine. */
    fun showState()

    /** Another picture is shown, or none. */
    fun showPicture()

    /** A second has passed: times and heat may have changed. */
    fun showTimes()
}

/**
 * What lives on while the activity is made anew: the engine, the camera, the pictures and the state of the screen.
 * Main thread, unless another is named.
 */
internal class LiveSession(private val parts: AppParts, private val resolver: ContentResolver) {
    /** Times of the last frames. */
    val stats = LatencyStats()

    @Volatile
    var state = ScreenState()
        private set

    @Volatile
    var settings: Settings = parts.settings.read()
        private set

    /** The models to choose among; null until they were read. */
    var listing: ModelListing? = null
        private set

    var engineState: EngineState = EngineState.Idle
        private set

    /** The picture on the screen with its mask; without one while the model has not answered; null where none is. */
    var shown: MaskedPicture? = null
        private set

    /** The activity at present; null while there is none. */
    var host: LiveHost? = null

    /** The camera that is open; null while none is. */
    var openCamera: OpenCamera? = null
        private set

    /** How the display is turned, in degrees; read on the camera's thread. */
    @Volatile
    var displayDegrees = 0

    val heat: Heat get() = engine.heat

    /** What can be saved: a picture that stands still, with its mask; null while there is none. */
    val savable: MaskedPicture? get() = shown?.takeIf { state.still && it.mask != null }

    /** How many pictures late changes show where the colours are steadied. */
    val smoothingDelay: Int get() = MaskPainter.DELAY_FRAMES

    private val main = Handler(Looper.getMainLooper())
    private val painting = HandlerThread("painting").apply { start() }
    private val paintHandler = Handler(painting.looper)
    private val painter = MaskPainter()
    private val reader = CameraFrameReader()
    private val cameraPictures = CameraPictures()
    private val camera = parts.newCamera()
    private val engine = parts.newEngine(EngineListener())
    private val stall = StallWatch()
    private val ticker = Runnable(::tick)
    private var still: MaskedPicture? = null
    private var shownAt = 0L
    private var picturesAsked = 0

    /** Whether frames of the camera are wanted; read on the camera's thread. */
    @Volatile
    private var analysing = false

    /** Raised when what is shown becomes that of another source: results from before are passed over. */
    @Volatile
    private var epoch = 0

    /** The chosen picture in the model, with its labels to come. Guarded by itself. */
    private val stillsInModel = HashMap<Long, MaskedPicture>()

    init {
        reloadModels()
    }

    /** Puts back what was saved before the process ended. To be called before the first [ScreenEvent.Started]. */
    fun restore(snapshot: ScreenSnapshot) {
        state = snapshot.putInto(state)
        snapshot.picture?.let { dispatch(ScreenEvent.PictureChosen(it)) }
    }

    /** Lets something happen to the screen. */
    fun dispatch(event: ScreenEvent) {
        if (event == ScreenEvent.ToggleFreeze && !state.frozen && shown?.map == null) return
        val selected = state.selectedClass
        val transition = ScreenMachine.next(state, event)
        state = transition.state
        analysing = state.analysing
        transition.effects.forEach(::perform)
        if (selected != state.selectedClass) repaintStill()
        if (!state.analysing && state.pictureStatus != PictureStatus.Working) stall.stop()
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
            is ScreenEffect.SetTorch -> camera.setTorch(effect.on)
            is ScreenEffect.ReadPicture -> readPicture(effect.address)
            ScreenEffect.ClearResult -> clearResult()
            ScreenEffect.StartModel -> startModel()
            ScreenEffect.AnalysePicture -> analysePicture()
        }
    }

    /** The screen comes to sight. */
    fun start(allowed: Boolean) {
        dispatch(ScreenEvent.Started(allowed, camera.facings()))
        main.removeCallbacks(ticker)
        main.postDelayed(ticker, TICK_MILLIS)
    }

    /** The screen goes out of sight. */
    fun stop() {
        main.removeCallbacks(ticker)
        dispatch(ScreenEvent.Stopped)
    }

    /** Ends everything; the session cannot be used again. */
    fun close() {
        host = null
        analysing = false
        main.removeCallbacksAndMessages(null)
        camera.close()
        engine.close()
        painting.quitSafely()
    }

    /** Gives back memory. @param level of `ComponentCallbacks2.onTrimMemory` */
    fun trimMemory(level: Int) {
        cameraPictures.trim()
        engine.trimMemory(level)
    }

    /** Shows the preview of the camera on [texture], or no longer. */
    fun showPreviewOn(texture: SurfaceTexture?): Unit = camera.showOn(texture)

    /** Changes what the user has set, keeps it, and starts the model again where it is for the model. */
    fun change(settings: Settings) {
        val before = this.settings
        this.settings = settings
        parts.settings.write(settings)
        val other = before.model != settings.model || before.modelImported != settings.modelImported
        if (other || before.engine != settings.engine) startModel() else host?.showState()
    }

    /** Reads the list of models again and uses [model], which has just come to it. */
    fun choose(model: StoredModel) {
        settings = settings.copy(model = model.name, modelImported = model.imported)
        parts.settings.write(settings)
        reloadModels()
    }

    /** Reads the list of models again, and starts the one that is set, as after an import. */
    fun reloadModels() {
        parts.files.execute {
            val read = parts.models.list()
            main.post {
                listing = read
                startModel()
            }
        }
    }

    /** The model that is set, or the first; null where there is none. */
    val model: StoredModel?
        get() {
            val models = listing?.models.orEmpty()
            return models.find { it.name == settings.model && it.imported == settings.modelImported }
                ?: models.firstOrNull()
        }

    /** Lets processors that crashed or failed be tried again, at once. */
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
        // Labels of the model before may not stand under the name of the next.
        if (!state.frozen) clearResult()
        engine.start(model, settings.engine)
    }

    private fun closeCamera() {
        camera.close()
        openCamera = null
        engine.dropWaiting()
        cameraPictures.giveUpAll()
    }

    private fun clearResult() {
        epoch++
        cameraPictures.giveUpAll()
        synchronized(stillsInModel) { stillsInModel.clear() }
        paintHandler.post(painter::reset)
        // A chosen picture stays on the screen, bare.
        val bare = still?.takeIf { state.source == Source.PICTURE }
        show(bare?.let { MaskedPicture(it.picture) })
        if (state.source == Source.CAMERA) still = null
    }

    private fun readPicture(address: String) {
        still = null
        show(null)
        val number = ++picturesAsked
        parts.files.execute {
            val read = runCatching { PictureReader(resolver).read(Uri.parse(address)) }
            main.post {
                if (number != picturesAsked) return@post
                read.onSuccess { bitmap ->
                    still = MaskedPicture(bitmap)
                    show(still)
                    dispatch(ScreenEvent.PictureRead)
                }.onFailure { error ->
                    val problem = (error as? PictureException ?: throw error).problem
                    dispatch(ScreenEvent.PictureFailed(problem))
                }
            }
        }
    }

    private fun analysePicture() {
        val bitmap = still?.picture ?: return
        val picture = MaskedPicture(bitmap)
        val id = cameraPictures.newId()
        synchronized(stillsInModel) {
            stillsInModel.clear()
            stillsInModel[id] = picture
        }
        if (engine.submit(PictureFrame(id, picture))) stall.submitted(SystemClock.elapsedRealtime())
    }

    /** Shows a picture; the one before goes round again, unless the new one has taken over its bitmap. */
    private fun show(picture: MaskedPicture?) {
        val before = shown
        shown = picture
        shownAt = SystemClock.elapsedRealtime()
        host?.showPicture()
        if (before?.picture !== picture?.picture) cameraPictures.giveBack(before)
    }

    private fun repaintStill() {
        val source = shown?.takeIf { state.still } ?: return
        val alone = state.selectedClass
        val epoch = epoch
        paintHandler.post {
            val copy = source.copyLabels()
            painter.paint(copy, alone)
            main.post { if (epoch == this.epoch && shown === source) show(copy) }
        }
    }

    private fun tick() {
        val now = SystemClock.elapsedRealtime()
        val old = now - shownAt > MOST_AGE_MILLIS
        // Behind an old picture the preview has moved on: better the preview alone than a view of the past.
        if (old && state.analysing && shown != null) show(null)
        if (stall.isStalled(now, heat) && state.model == ModelStatus.RUNNING) {
            stall.stop()
            dispatch(ScreenEvent.ModelChanged(ModelStatus.STALLED))
            if (state.source == Source.CAMERA && !state.frozen) show(null)
        }
        host?.showTimes()
        main.postDelayed(ticker, TICK_MILLIS)
    }

    /** Hears of the camera. */
    private inner class FrameListener : CameraListener {
        override fun onOpened(camera: OpenCamera) {
            openCamera = camera
            dispatch(ScreenEvent.CameraOpened(camera.hasTorch))
        }

        /** On the camera's thread. */
        override fun onFrame(image: YuvImage, camera: OpenCamera) {
            val front = camera.facing == CameraFacing.FRONT
            val orientation = Orientation.ofCamera(camera.sensorDegrees, displayDegrees, front)
            val swaps = orientation.rotation.swapsSides
            val width = if (swaps) image.height else image.width
            val height = if (swaps) image.width else image.height
            val id = cameraPictures.newId()
            val picture = if (analysing) cameraPictures.take(id, width, height) else null
            if (picture == null) {
                image.close()
                return
            }
            stall.submitted(SystemClock.elapsedRealtime())
            engine.submit(
                CameraModelFrame(id, image.ageNanos, image, orientation, picture, reader, cameraPictures::giveUp),
            )
        }

        override fun onFailed(failure: CameraFailure) {
            openCamera = null
            dispatch(ScreenEvent.CameraFailed(failure))
        }

        override fun onAvailable(): Unit = dispatch(ScreenEvent.CameraAvailable)
    }

    /** Hears of the engine, on its thread. */
    private inner class EngineListener : SegmentationEngine.Listener {
        override fun onState(state: EngineState) {
            main.post {
                engineState = state
                // Frames that waited for the start of the model have waited for that, not for labels.
                stall.stop()
                dispatch(ScreenEvent.ModelChanged(statusOf(state)))
            }
        }

        override fun onResult(result: SegmentationResult) {
            val picture = cameraPictures.claim(result.frameId)
                ?: synchronized(stillsInModel) { stillsInModel.remove(result.frameId) }
                ?: return
            stall.answered()
            // The engine counts the making of the picture for the screen as input; it is drawing.
            result.inputNanos -= picture.pictureNanos
            result.recordIn(stats)
            picture.label(result.map, result.inUse.file.spec.labelSet)
            val epoch = epoch
            val film = result.cameraNanos > 0
            paintHandler.post { paint(picture, epoch, film) }
        }

        override fun onFrameProblem(frameId: Long, detail: String) {
            Log.w(TAG, "A frame was passed over: $detail")
            cameraPictures.giveUp(frameId)
            synchronized(stillsInModel) { stillsInModel.remove(frameId) } ?: return
            main.post { dispatch(ScreenEvent.PictureFailed(PictureProblem.BROKEN)) }
        }

        override fun onHeat(heat: Heat) {
            main.post { host?.showTimes() }
        }
    }

    /** On the painting thread. */
    private fun paint(picture: MaskedPicture, epoch: Int, film: Boolean) {
        val start = System.nanoTime()
        painter.paint(picture, state.selectedClass, steady = film && settings.steady)
        stats.record(Phase.DRAW, System.nanoTime() - start + picture.pictureNanos)
        main.post { showResult(picture, epoch) }
    }

    private fun showResult(picture: MaskedPicture, epoch: Int) {
        if (epoch != this.epoch || state.frozen) {
            cameraPictures.giveBack(picture)
            return
        }
        stats.frameShown(System.nanoTime())
        show(picture)
        if (state.source == Source.PICTURE) dispatch(ScreenEvent.PictureAnalysed)
    }

    private companion object {
        const val TAG = "LiveSession"
        const val TICK_MILLIS = 1_000L

        /** A result of the camera is taken off the screen when no newer one has come for so long. */
        const val MOST_AGE_MILLIS = 3_000L

        fun statusOf(state: EngineState): ModelStatus = when (state) {
            EngineState.Idle, EngineState.Closed -> ModelStatus.NONE
            is EngineState.Starting -> ModelStatus.STARTING
            is EngineState.Running, is EngineState.Suspended -> ModelStatus.RUNNING
            is EngineState.Failed -> ModelStatus.FAILED
        }
    }
}
