package org.kerassegformer.demo.camera

import android.graphics.ImageFormat
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CaptureFailure
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.view.Surface
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.withTimeoutOrNull

/** Takes still images as JPEG files. Everything runs on the thread of [handler]. */
internal class StillReader(width: Int, height: Int, private val handler: Handler) : AutoCloseable {
    private val reader = ImageReader.newInstance(width, height, ImageFormat.JPEG, OPEN_IMAGES)
    private var awaited: CompletableDeferred<ByteArray?>? = null

    /** The output that a capture session must have. */
    val surface: Surface get() = reader.surface

    init {
        reader.setOnImageAvailableListener({ deliver() }, handler)
    }

    /**
     * Takes an image.
     *
     * @param setUp sets focus, zoom and torch of the request
     * @return a JPEG, or null if that fails or takes too long
     */
    suspend fun take(
        device: CameraDevice,
        session: CameraCaptureSession,
        setUp: CaptureRequest.Builder.() -> Unit,
    ): ByteArray? {
        finish(null)
        val taken = CompletableDeferred<ByteArray?>()
        awaited = taken
        request(device, session, setUp)
        return withTimeoutOrNull(LONGEST_MILLIS) { taken.await() }
    }

    private fun request(
        device: CameraDevice,
        session: CameraCaptureSession,
        setUp: CaptureRequest.Builder.() -> Unit,
    ) {
        try {
            val request = device.createCaptureRequest(CameraDevice.TEMPLATE_STILL_CAPTURE).apply {
                addTarget(surface)
                setUp()
                // The app rotates the image itself, like the frames.
                set(CaptureRequest.JPEG_ORIENTATION, 0)
                set(CaptureRequest.JPEG_QUALITY, QUALITY)
            }
            session.capture(request.build(), FailureListener(), handler)
        } catch (_: Exception) {
            // The session was replaced or the camera has closed: the last frame is frozen instead.
            finish(null)
        }
    }

    override fun close() {
        finish(null)
        reader.close()
    }

    private fun deliver() {
        val jpeg = try {
            reader.acquireNextImage()?.use { image ->
                image.planes[0].buffer.let { buffer -> ByteArray(buffer.remaining()).also(buffer::get) }
            }
        } catch (_: IllegalStateException) {
            null
        } catch (_: OutOfMemoryError) {
            null
        }
        finish(jpeg)
    }

    private fun finish(jpeg: ByteArray?) {
        awaited?.complete(jpeg)
        awaited = null
    }

    private inner class FailureListener : CameraCaptureSession.CaptureCallback() {
        override fun onCaptureFailed(session: CameraCaptureSession, request: CaptureRequest, failure: CaptureFailure) =
            finish(null)
    }

    private companion object {
        const val OPEN_IMAGES = 2
        const val LONGEST_MILLIS = 5_000L
        const val QUALITY: Byte = 95
    }
}
