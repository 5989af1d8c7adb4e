package org.kerassegformer.demo.camera

import android.graphics.SurfaceTexture

/**
 * A camera that is running.
 *
 * @property facing the side that it looks to
 * @property sensorDegrees clockwise turn that makes its pictures upright in the natural orientation of the device
 * @property width of the frames, in pixels, before that turn
 * @property height of the frames, in pixels, before that turn
 * @property hasTorch whether its light can stay on
 */
internal data class OpenCamera(
    val facing: CameraFacing,
    val sensorDegrees: Int,
    val width: Int,
    val height: Int,
    val hasTorch: Boolean,
)

/** Hears of a camera. [onFrame] is called on the camera's thread, all else on the main thread. */
internal interface CameraListener {
    /** Frames will come from now on. */
    fun onOpened(camera: OpenCamera)

    /** A frame, which the listener closes. Cameras stop when a few frames are open at a time. */
    fun onFrame(image: YuvImage, camera: OpenCamera)

    /** No frames come any more. The camera is closed already. */
    fun onFailed(failure: CameraFailure)

    /** A camera that was held by another app is free again. */
    fun onAvailable()
}

/** Where frames come from; the screen knows no more of a camera, so that tests can be one. */
internal interface CameraSource {
    /** The sides that have a camera, the preferred first; empty where there is none or the list cannot be had. */
    fun facings(): List<CameraFacing>

    /** Opens the camera of [facing], after closing the one that may be open. Answers through the listener. */
    fun open(facing: CameraFacing, listener: CameraListener)

    /** Shows the frames on [texture] too, or no longer where it is null. May be called at any time. */
    fun showOn(texture: SurfaceTexture?)

    /** Switches the light of the open camera; nothing happens without one. */
    fun setTorch(on: Boolean)

    /** Closes the camera. No call of the listener follows. */
    fun close()
}
