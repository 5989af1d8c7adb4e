package org.kerassegformer.demo.ui

import android.graphics.SurfaceTexture
import android.os.Build
import android.os.SystemClock
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.demo.R
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.SegmentedPicture

/**
 * What survives configuration changes: passes events through [ScreenStateMachine], lets its parts perform what follows,
 * and keeps the one [state] that the activity shows. Main thread only, unless noted otherwise.
 */
internal class LiveSession(private val container: AppContainer) {
    private val scope = CoroutineScope(SupervisorJob() + container.dispatchers.main)
    private val current = MutableStateFlow(UiState(settings = container.settings.read(), unsupported = container.unsupported))

    /** What the screen shows. */
    val state: StateFlow<UiState> = current.asStateFlow()

    /** What the activity does once, also if it is recreated meanwhile. */
    val effects = Effects<ScreenEffect.ForActivity>()

    private val stats = LatencyStats()
    private val recording = LiveRecording(container, ::recordingEnded)
    private val pictures = LivePictures(scope, container.dispatchers.painting, current, stats, ::onShown)
    private val model = LiveModel(container, scope, current, stats, pictures, ::dispatch) {
        // Labels of the previous model must not be shown under the name of the new one.
        if (!current.value.screen.frozen) clearResult()
    }
    private val camera =
        LiveCamera(container.newCamera(), pictures.pool, scope, current, ::dispatch) { frame -> model.submit(frame) }
    private val stills = LiveStills(
        scope,
        container.dispatchers.files,
        container.resolver,
        state,
        ::dispatch,
        pictures::show,
    ) { picture -> model.submit(pictures.frameOf(picture), isAwaited = picture.still == null) }
    private var ticking: Job? = null

    init {
        model.reload()
    }

    /** Restores the state after process death. Call before the first [ScreenEvent.Started]. */
    fun restore(snapshot: ScreenSnapshot) {
        current.update { it.copy(screen = snapshot.putInto(it.screen)) }
        snapshot.picture?.let { dispatch(ScreenEvent.PictureChosen(it)) }
    }

    /** Handles an event. */
    fun dispatch(event: ScreenEvent) {
        if (!scope.isActive) return
        val before = current.value
        if (event == ScreenEvent.ToggleFreeze && !before.screen.frozen && before.shown?.map == null) return
        val transition = ScreenStateMachine.next(before.screen, event)
        current.update { it.copy(screen = transition.state) }
        transition.effects.forEach(::perform)
        val after = current.value.screen
        if (before.screen.selectedClass != after.selectedClass) pictures.repaint()
        if (!after.analysing && after.pictureStatus != PictureStatus.Analysing) model.stopWaiting()
        measure()
    }

    private fun perform(effect: ScreenEffect) {
        when (effect) {
            is ScreenEffect.ForActivity -> effects.send(effect)
            is ScreenEffect.OpenCamera -> camera.open(effect.facing)
            ScreenEffect.CloseCamera -> closeCamera()
            ScreenEffect.TakeStill -> stills.freeze(camera)
            ScreenEffect.StartRecording -> startRecording()
            ScreenEffect.StopRecording -> recording.stop()
            is ScreenEffect.SetTorch -> camera.setTorch(effect.on)
            is ScreenEffect.SetZoom -> camera.setZoom(effect.zoom)
            is ScreenEffect.Focus -> camera.focusAt(effect.x, effect.y)
            is ScreenEffect.ReadPicture -> stills.open(effect.address)
            ScreenEffect.ClearResult -> clearResult()
            ScreenEffect.StartModel -> model.start()
            ScreenEffect.ForgetFailures -> model.forgetFailures()
            ScreenEffect.AnalysePicture -> stills.analyseOpened()
        }
    }

    /** The activity was started. */
    fun start(allowed: Boolean) {
        dispatch(ScreenEvent.Started(allowed))
        camera.find()
        ticking?.cancel()
        ticking = scope.launch {
            while (true) {
                delay(TICK_MILLIS)
                tick()
            }
        }
    }

    /** The display was rotated to [degrees] from the natural orientation of the device. */
    fun turn(degrees: Int): Unit = current.update { it.copy(displayDegrees = degrees) }

    /** The activity was stopped. */
    fun stop() {
        ticking?.cancel()
        dispatch(ScreenEvent.Stopped)
    }

    /** Releases all resources; the session cannot be used afterwards. */
    fun close() {
        scope.cancel()
        recording.stop()
        camera.release()
        model.close()
    }

    /** Frees memory. @param level level of `ComponentCallbacks2.onTrimMemory` */
    fun trimMemory(level: Int) {
        pictures.pool.trim()
        model.trimMemory(level)
    }

    /** Sets the preview texture, or removes it if null. */
    fun showPreviewOn(texture: SurfaceTexture?): Unit = camera.showOn(texture)

    /** Saves changed settings and restarts the model if they affect it. */
    fun change(settings: Settings): Unit = model.change(settings)

    /** Selects a [model] that has just been imported. */
    fun choose(model: StoredModel) {
        if (scope.isActive) this.model.choose(model)
    }

    /** Reloads the list of models and starts the selected one. */
    fun reloadModels(): Unit = model.reload()

    /** Clears the crash log and restarts the model. */
    fun forgetFailures() {
        model.forgetFailures()
        model.start()
    }

    private fun closeCamera() {
        camera.close()
        model.dropWaiting()
        pictures.pool.discardAll()
    }

    private fun clearResult() {
        val isPicture = current.value.screen.source == Source.PICTURE
        // The opened image stays on the screen without a mask.
        pictures.clear(stills.opened?.takeIf { isPicture }?.let { SegmentedPicture(it.picture) })
        if (!isPicture) stills.close()
    }

    private fun onShown(picture: SegmentedPicture) {
        val ui = current.value
        if (ui.screen.recording) recording.add(picture, ui.settings.opacity / SettingsStore.FULL_OPACITY.toFloat())
        if (ui.screen.source == Source.PICTURE) dispatch(ScreenEvent.PictureAnalysed)
    }

    private fun startRecording() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            recording.start()
        } else {
            dispatch(ScreenEvent.RecordingEnded)
            effects.send(ScreenEffect.Notify(R.string.video_needs_android_10))
        }
    }

    private fun recordingEnded(text: Int?, endedItself: Boolean) {
        if (endedItself) dispatch(ScreenEvent.RecordingEnded)
        if (text != null) effects.send(ScreenEffect.Notify(text))
    }

    private fun tick() {
        val now = SystemClock.elapsedRealtime()
        pictures.removeOutdated(now)
        val screen = current.value.screen
        if (model.hasStalled(now) && screen.source == Source.CAMERA && !screen.frozen) pictures.show(null)
        measure()
    }

    private fun measure() {
        current.update { it.copy(latency = stats.summary(), recordedSeconds = recording.seconds) }
    }

    private companion object {
        const val TICK_MILLIS = 1_000L
    }
}
