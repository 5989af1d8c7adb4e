package org.kerassegformer.demo.ui

import android.os.SystemClock
import android.util.Log
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.StoredModel
import org.kerassegformer.demo.pictures.PictureProblem

/**
 * The model of a [LiveSession]: selects it, runs it and notices when it stalls. Main thread only, unless noted
 * otherwise.
 *
 * @param state receives the models, the settings and the state of the engine
 * @param dispatch receives events
 * @param onStart called before the engine starts another model
 */
internal class LiveModel(
    private val container: AppContainer,
    private val scope: CoroutineScope,
    private val state: MutableStateFlow<UiState>,
    private val stats: LatencyStats,
    private val pictures: LivePictures,
    private val dispatch: (ScreenEvent) -> Unit,
    private val onStart: () -> Unit,
) {
    private val engine = container.newEngine(Listener())
    private val stall = StallDetector()

    /** Saves changed settings and restarts the model if they affect it. */
    fun change(settings: Settings) {
        val before = state.value.settings
        container.settings.write(settings)
        state.update { it.copy(settings = settings) }
        val other = before.model != settings.model || before.modelImported != settings.modelImported
        if (other || before.engine != settings.engine) start()
    }

    /** Reloads the list of models and selects the new [model]. */
    fun choose(model: StoredModel) {
        val settings = state.value.settings.copy(model = model.name, modelImported = model.imported)
        container.settings.write(settings)
        state.update { it.copy(settings = settings) }
        reload()
    }

    /** Reloads the list of models and starts the selected one. */
    fun reload() {
        scope.launch {
            val read = withContext(container.dispatchers.files) { container.models.list() }
            state.update { it.copy(listing = read) }
            start()
        }
    }

    /** Starts the selected model. */
    fun start() {
        val ui = state.value
        val model = ui.model
        stats.reset()
        stall.stop()
        if (model == null) {
            if (ui.listing != null) dispatch(ScreenEvent.ModelChanged(ModelStatus.NONE))
            return
        }
        onStart()
        engine.start(model, ui.settings.engine)
    }

    /** Clears the crash log. */
    fun forgetFailures() = engine.forgetFailures()

    /** Submits a frame of the camera. On any thread. */
    fun submit(frame: Frame) {
        stall.submitted(SystemClock.elapsedRealtime())
        engine.submit(frame)
    }

    /** Submits an image. @param isAwaited true if the screen says that it is being segmented */
    fun submit(picture: Frame, isAwaited: Boolean) {
        if (engine.submit(picture) && isAwaited) stall.submitted(SystemClock.elapsedRealtime())
    }

    /** Closes the frame that waits for the model, if any. */
    fun dropWaiting() = engine.dropWaiting()

    /** Labels are no longer awaited. */
    fun stopWaiting() = stall.stop()

    /** Reports a model that returns no labels. @return true if it has just stalled */
    fun hasStalled(now: Long): Boolean {
        val ui = state.value
        if (ui.screen.model != ModelStatus.RUNNING || !stall.isStalled(now, ui.thermal)) return false
        stall.stop()
        dispatch(ScreenEvent.ModelChanged(ModelStatus.STALLED))
        return true
    }

    /** Frees memory. @param level level of `ComponentCallbacks2.onTrimMemory` */
    fun trimMemory(level: Int) = engine.trimMemory(level)

    fun close() = engine.close()

    /** Called by the engine; what it starts on the main thread keeps its order. */
    private inner class Listener : SegmentationEngine.Listener {
        override fun onState(state: EngineState) {
            scope.launch { enter(state) }
        }

        override fun onResult(result: SegmentationResult) {
            if (pictures.label(result)) stall.answered()
        }

        override fun onFrameProblem(frameId: Long, detail: String) {
            Log.w(TAG, "A frame was skipped: $detail")
            val isPicture = pictures.discard(frameId)
            if (isPicture) scope.launch { dispatch(ScreenEvent.PictureFailed(PictureProblem.CORRUPT)) }
        }

        override fun onThermalStateChanged(state: ThermalState) {
            scope.launch { this@LiveModel.state.update { it.copy(thermal = state) } }
        }
    }

    private fun enter(next: EngineState) {
        // The latencies of the CPU say nothing about the accelerator that replaces it.
        if (processorOf(next) != processorOf(state.value.engine)) stats.reset()
        state.update { it.copy(engine = next) }
        // Frames that waited for the model to load do not count as stalled.
        stall.stop()
        dispatch(ScreenEvent.ModelChanged(statusOf(next)))
    }

    private companion object {
        const val TAG = "LiveModel"

        fun processorOf(state: EngineState): Processor? = (state as? EngineState.Running)?.inUse?.processor

        fun statusOf(state: EngineState): ModelStatus = when (state) {
            EngineState.Idle, EngineState.Closed -> ModelStatus.NONE
            is EngineState.Starting -> ModelStatus.STARTING
            is EngineState.Running, is EngineState.Suspended -> ModelStatus.RUNNING
            is EngineState.Failed -> ModelStatus.FAILED
        }
    }
}
