package org.kerassegformer.demo.ui

import android.os.SystemClock
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.kerassegformer.core.LatencyStats
import org.kerassegformer.core.Phase
import org.kerassegformer.demo.camera.PicturePool
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.engine.SegmentationResult
import org.kerassegformer.demo.pictures.MaskPainter
import org.kerassegformer.demo.pictures.PictureFrame
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.util.concurrent.atomic.AtomicReference

/**
 * The images of a [LiveSession]: those that wait for their labels, those whose labels are painted, and the one that is
 * shown. Main thread only, unless noted otherwise.
 *
 * @param painting where labels are painted, one image after another
 * @param state receives the image to show
 * @param stats receives the duration of painting
 * @param onShown called with an image whose labels are shown
 */
internal class LivePictures(
    private val scope: CoroutineScope,
    painting: CoroutineDispatcher,
    private val state: MutableStateFlow<UiState>,
    private val stats: LatencyStats,
    private val onShown: (SegmentedPicture) -> Unit,
) {
    /** The images of camera frames. */
    val pool = PicturePool()
    private val painting = Painting(scope, painting)
    private var shownAt = 0L

    /** The image that is not a camera frame and is being segmented, or null. */
    private val stillInModel = AtomicReference<SegmentedPicture?>()

    /** Displays an image and recycles the previous one, unless the new one shares its bitmap. */
    fun show(picture: SegmentedPicture?) {
        val before = state.value.shown
        shownAt = SystemClock.elapsedRealtime()
        state.update { it.copy(shown = picture) }
        if (before?.picture !== picture?.picture) pool.recycle(before)
    }

    /** Removes a live image that is outdated: rather the preview without a mask. */
    fun removeOutdated(now: Long) {
        val ui = state.value
        if (now - shownAt > MOST_AGE_MILLIS && ui.screen.analysing && ui.shown != null) show(null)
    }

    /** Forgets the images whose labels have not come, for example because the source has changed, and shows [bare]. */
    fun clear(bare: SegmentedPicture?) {
        state.update { it.copy(epoch = it.epoch + 1) }
        pool.discardAll()
        stillInModel.set(null)
        painting.reset()
        show(bare)
    }

    /** Makes a frame for the engine from an image that is not the camera's; it replaces an earlier one. */
    fun frameOf(picture: SegmentedPicture): Frame =
        PictureFrame(pool.newId(), picture).also { stillInModel.set(picture) }

    /** Shows only the selected class of a still image, or all classes. */
    fun repaint() {
        val ui = state.value
        val source = ui.shown?.takeIf { ui.screen.still } ?: return
        val copy = source.copyLabels()
        painting.paint(copy, onlyClass = { ui.screen.selectedClass }) {
            val now = state.value
            if (ui.epoch == now.epoch && now.shown === source) show(copy)
        }
    }

    /** Paints labels over their image and shows it. Called by the engine; @return false if the image is not wanted */
    fun label(result: SegmentationResult): Boolean {
        val picture = pool.claim(result.frameId) ?: takeStill(result.frameId) ?: return false
        // The engine counts the conversion of the displayed image as preprocessing; it belongs to rendering.
        result.inputNanos -= picture.pictureNanos
        result.recordIn(stats)
        picture.label(result.map, result.inUse.file.spec.labelSet)
        val epoch = state.value.epoch
        val isVideo = result.cameraNanos > 0
        val smoothing = { isVideo && state.value.settings.smoothing }
        painting.paint(picture, { state.value.screen.selectedClass }, smoothing) { nanos ->
            stats.record(Phase.DRAW, nanos + picture.pictureNanos)
            showLabelled(picture, epoch)
        }
        return true
    }

    /** A frame has no labels. Called by the engine; @return true if it was not the camera's */
    fun discard(frameId: Long): Boolean {
        pool.discard(frameId)
        return takeStill(frameId) != null
    }

    private fun takeStill(frameId: Long): SegmentedPicture? {
        val still = stillInModel.get()?.takeIf { it.frameId == frameId } ?: return null
        return still.takeIf { stillInModel.compareAndSet(still, null) }
    }

    private fun showLabelled(picture: SegmentedPicture, epoch: Int) {
        val ui = state.value
        // A frozen frame is only replaced by its still image.
        val isWanted = ui.screen.frozen == (picture.still != null)
        if (epoch != ui.epoch || !isWanted) return pool.recycle(picture)
        stats.frameShown(System.nanoTime())
        show(picture)
        onShown(picture)
    }

    private companion object {
        /** Maximum age of a displayed camera frame. */
        const val MOST_AGE_MILLIS = 3_000L
    }
}

/** Renders labels, one image after another, as they come. The number of images is limited by their pool. */
private class Painting(private val scope: CoroutineScope, dispatcher: CoroutineDispatcher) {
    private val painter = MaskPainter()
    private val tasks = Channel<() -> Unit>(Channel.UNLIMITED)

    init {
        scope.launch(dispatcher) { for (task in tasks) task() }
    }

    /**
     * Renders the labels of an image; on any thread.
     *
     * @param onlyClass returns the only class to render, or null for all; called when rendering begins
     * @param smoothing returns true to smooth the labels over time
     * @param onPainted receives the duration in nanoseconds, on the main thread
     */
    fun paint(
        picture: SegmentedPicture,
        onlyClass: () -> Int?,
        smoothing: () -> Boolean = { false },
        onPainted: (Long) -> Unit,
    ) {
        tasks.trySend {
            val start = System.nanoTime()
            painter.paint(picture, onlyClass(), smoothing())
            val nanos = System.nanoTime() - start
            scope.launch { onPainted(nanos) }
        }
    }

    /** Forgets earlier images, for example after switching cameras. */
    fun reset() {
        tasks.trySend(painter::reset)
    }
}
