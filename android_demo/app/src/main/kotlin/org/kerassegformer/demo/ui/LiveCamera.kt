package org.kerassegformer.demo.ui

import android.graphics.SurfaceTexture
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.Point
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.camera.CameraFrameReader
import org.kerassegformer.demo.camera.CameraListener
import org.kerassegformer.demo.camera.CameraModelFrame
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.camera.OpenCamera
import org.kerassegformer.demo.camera.PicturePool
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.pictures.CapturedStill

/**
 * The camera of a [LiveSession]. Main thread only.
 *
 * @param state receives the open camera
 * @param dispatch receives its events
 * @param onFrame receives the frames that are wanted, on the camera's thread
 */
internal class LiveCamera(
    private val source: CameraSource,
    pool: PicturePool,
    private val scope: CoroutineScope,
    private val state: MutableStateFlow<UiState>,
    private val dispatch: (ScreenEvent) -> Unit,
    private val onFrame: (Frame) -> Unit,
) {
    private val frames = CameraFrames(pool)

    /** Looks for cameras, which may have changed. */
    fun find() {
        scope.launch { dispatch(ScreenEvent.CamerasFound(source.findFacings())) }
    }

    fun open(facing: CameraFacing) = source.open(facing, Listener())

    fun close() {
        source.close()
        state.update { it.copy(camera = null) }
    }

    fun release() = source.release()

    fun showOn(texture: SurfaceTexture?) = source.showOn(texture)

    fun setTorch(on: Boolean) = source.setTorch(on)

    fun setZoom(zoom: Float) = source.setZoom(zoom)

    /** Focuses on a point of the upright image, with coordinates 0..1. */
    fun focusAt(x: Float, y: Float) {
        val open = state.value.camera ?: return
        val point = orientationOf(open).undo(Point(x.toDouble(), y.toDouble()))
        source.focusAt(point.x.toFloat(), point.y.toFloat())
    }

    /** Takes an image at the size of the sensor; null if the camera cannot. */
    suspend fun takeStill(): CapturedStill? {
        val open = state.value.camera ?: return null
        val orientation = orientationOf(open)
        return source.takeStill()?.let { CapturedStill(it, orientation) }
    }

    /** What makes the frames of a camera upright on the display. */
    private fun orientationOf(open: OpenCamera): Orientation =
        Orientation.ofCamera(open.sensorDegrees, state.value.displayDegrees, open.facing == CameraFacing.FRONT)

    private inner class Listener : CameraListener {
        override fun onOpened(camera: OpenCamera) {
            state.update { it.copy(camera = camera) }
            dispatch(ScreenEvent.CameraOpened(camera.hasTorch, camera.mostZoom))
        }

        override fun onFrame(image: YuvImage, camera: OpenCamera) {
            val isWanted = scope.isActive && state.value.screen.analysing
            if (!isWanted) return image.close()
            frames.frameOf(image, orientationOf(camera))?.let(onFrame)
        }

        override fun onFailed(failure: CameraFailure) {
            state.update { it.copy(camera = null) }
            dispatch(ScreenEvent.CameraFailed(failure))
        }

        override fun onAvailable(): Unit = dispatch(ScreenEvent.CameraAvailable)
    }
}

/** Makes frames for the engine from those of the camera, each with the image that its labels will be drawn over. */
private class CameraFrames(private val pool: PicturePool) {
    private val reader = CameraFrameReader()

    /** Returns a frame that owns [image]; null if all images of [pool] are in use, and then closes it. */
    fun frameOf(image: YuvImage, orientation: Orientation): Frame? {
        val swaps = orientation.rotation.swapsSides
        val width = if (swaps) image.height else image.width
        val height = if (swaps) image.width else image.height
        val id = pool.newId()
        val picture = pool.acquire(id, width, height)
        if (picture == null) {
            image.close()
            return null
        }
        return CameraModelFrame(id, image.ageNanos, image, orientation, picture, reader, pool::discard)
    }
}
