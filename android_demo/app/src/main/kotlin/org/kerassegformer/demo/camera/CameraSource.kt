package org.kerassegformer.demo.camera

import android.graphics.SurfaceTexture
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch

/**
 * A running camera.
 *
 * @property facing the side of the device that it faces
 * @property sensorDegrees clockwise rotation that makes frames upright in the natural orientation of the device
 * @property width width of the frames before rotation, in pixels
 * @property height height of the frames before rotation, in pixels
 * @property hasTorch true if it has a torch
 * @property mostZoom largest magnification, at least 1
 */
internal data class OpenCamera(
    val facing: CameraFacing,
    val sensorDegrees: Int,
    val width: Int,
    val height: Int,
    val hasTorch: Boolean,
    val mostZoom: Float = 1f,
)

/** Receives camera events: [onFrame] on the camera's thread, all others on the main thread. */
internal interface CameraListener {
    /** The camera is running. */
    fun onOpened(camera: OpenCamera)

    /** A frame arrived. The listener must close it: the camera stalls if too many frames are open. */
    fun onFrame(image: YuvImage, camera: OpenCamera)

    /** The camera failed and is closed. */
    fun onFailed(failure: CameraFailure)

    /** A camera that another app used is available again. */
    fun onAvailable()
}

/** Abstraction of the camera, so that tests can replace it. */
internal interface CameraSource {
    /** Finds the sides that have a camera, the preferred one first; none if there is no camera or the query fails. */
    suspend fun findFacings(): List<CameraFacing>

    /** Closes the current camera, if any, and opens the one of [facing]. The result is reported to the listener. */
    fun open(facing: CameraFacing, listener: CameraListener)

    /** Sets the preview texture, or removes it if null. May be called at any time. */
    fun showOn(texture: SurfaceTexture?)

    /** Switches the torch of the open camera, if any. */
    fun setTorch(on: Boolean)

    /** Magnifies the image of the open camera, if any, by a factor from 1 to [OpenCamera.mostZoom]. */
    fun setZoom(zoom: Float)

    /** Focuses and exposes for a point of the frame before rotation, with coordinates 0..1. */
    fun focusAt(x: Float, y: Float)

    /**
     * Takes a still image at the size of the sensor.
     *
     * @return a JPEG that is not rotated, or null if the camera cannot take one or is closed meanwhile
     */
    suspend fun takeStill(): ByteArray?

    /** Closes the camera. The listener receives no more calls. */
    fun close()

    /** Closes the camera and ends the threads; the source cannot be used afterwards. */
    fun release()
}

/** The side of the device that a camera faces. An external camera counts as [BACK]: it is not mirrored. */
internal enum class CameraFacing {
    BACK,
    FRONT,
    ;

    /** The other side. */
    fun other(): CameraFacing = if (this == BACK) FRONT else BACK
}

/** Why the camera delivers no frames. Each has its own message on the screen. */
internal enum class CameraFailure {
    /** Another app uses the camera, or too many cameras are open. */
    IN_USE,

    /** Another app or the system took over the camera. */
    DISCONNECTED,

    /** A policy or a privacy switch of the device blocks the camera. */
    DISABLED,

    /** The permission was revoked between the check and opening. */
    PERMISSION_DENIED,

    /** The camera, its driver or its service failed, or delivers no frames. */
    FAILED,
    ;

    /** True if the camera can be reopened when the system reports it as available. */
    val isTransient: Boolean
        get() = this == IN_USE || this == DISCONNECTED
}

/**
 * Delivers the events of one opened camera on the right threads, until it is cancelled on the main thread.
 *
 * @param main the main thread
 */
internal class CameraSubscription(private val listener: CameraListener, main: CoroutineDispatcher) : CameraListener {
    private val scope = CoroutineScope(Job() + main)
    val isCancelled: Boolean get() = !scope.isActive

    /** The listener receives no more calls, except for a frame that it is just receiving. */
    fun cancel() = scope.cancel()

    override fun onOpened(camera: OpenCamera) = onMain { listener.onOpened(camera) }

    override fun onFailed(failure: CameraFailure) = onMain { listener.onFailed(failure) }

    override fun onAvailable() = onMain { listener.onAvailable() }

    override fun onFrame(image: YuvImage, camera: OpenCamera) {
        if (isCancelled) image.close() else listener.onFrame(image, camera)
    }

    /** Calls [event] on the main thread, unless it is cancelled by then. */
    private fun onMain(event: () -> Unit) {
        scope.launch { event() }
    }
}
