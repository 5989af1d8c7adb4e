package org.kerassegformer.demo.camera

import android.graphics.SurfaceTexture

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
    /**
     * Finds the sides that have a camera, the preferred one first; none if there is no camera or the query fails.
     *
     * @param onFound called on the main thread
     */
    fun findFacings(onFound: (List<CameraFacing>) -> Unit)

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
     * @param onTaken called on the main thread with a JPEG that is not rotated, or null if the camera cannot take one;
     *   not called if the camera is closed meanwhile
     */
    fun takeStill(onTaken: (ByteArray?) -> Unit)

    /** Closes the camera. The listener receives no more calls. */
    fun close()

    /** Closes the camera and ends the threads; the source cannot be used afterwards. */
    fun release()
}
