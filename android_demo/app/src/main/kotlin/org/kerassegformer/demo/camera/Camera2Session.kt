package org.kerassegformer.demo.camera

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.view.Surface
import java.util.concurrent.atomic.AtomicInteger

/**
 * One camera, from opening to closing. Callbacks of the camera service after [close] are ignored.
 *
 * Everything except [close] and the posts to [main] runs on the thread of [handler].
 */
internal class Camera2Session(
    private val id: String,
    private val camera: OpenCamera,
    private val clock: FrameClock,
    private val listener: CameraListener,
    private val handler: Handler,
    private val main: Handler,
) {
    private val reader = ImageReader.newInstance(camera.width, camera.height, ImageFormat.YUV_420_888, OPEN_IMAGES)
    private var device: CameraDevice? = null
    private var capture: CameraCaptureSession? = null
    private var preview: Surface? = null
    private var torch = false
    private var framesCame = false

    @Volatile
    private var closed = false

    /** Number of frames that the listener has not closed. [reader] owns their memory and must outlive them. */
    private val openImages = AtomicInteger()

    /** Opens the camera. @param texture preview, or null */
    @SuppressLint("MissingPermission")
    fun open(manager: CameraManager, texture: SurfaceTexture?) {
        preview = surfaceOf(texture)
        reader.setOnImageAvailableListener({ deliver() }, handler)
        manager.openCamera(id, DeviceListener(), handler)
    }

    fun showOn(texture: SurfaceTexture?) {
        handler.post {
            preview?.release()
            preview = surfaceOf(texture)
            if (device != null) startCapture()
        }
    }

    fun setTorch(on: Boolean) {
        handler.post {
            torch = on
            repeat()
        }
    }

    /** Closes the camera asynchronously. The listener receives no more calls. */
    fun close() {
        if (closed) return
        closed = true
        handler.post {
            capture?.close()
            device?.close()
            preview?.release()
            if (openImages.get() == 0) reader.close()
        }
    }

    private fun onImageClosed() {
        if (openImages.decrementAndGet() == 0 && closed) handler.post(reader::close)
    }

    private fun deliver() {
        val image = acquire() ?: return
        if (closed) {
            image.close()
            return
        }
        framesCame = true
        openImages.incrementAndGet()
        listener.onFrame(ImageYuv(image, clock.ageNanos(image.timestamp), ::onImageClosed), camera)
    }

    private fun acquire() = try {
        reader.acquireLatestImage()
    } catch (_: IllegalStateException) {
        // All images are still in use: skip this frame.
        null
    }

    private fun surfaceOf(texture: SurfaceTexture?): Surface? {
        texture?.setDefaultBufferSize(camera.width, camera.height)
        return texture?.let(::Surface)
    }

    private fun startCapture() = guarded {
        capture?.close()
        capture = null
        // The replacement of this method requires Android 9.
        @Suppress("DEPRECATION")
        device?.createCaptureSession(listOfNotNull(reader.surface, preview), CaptureListener(), handler)
    }

    private fun repeat() = guarded {
        val device = device ?: return@guarded
        val request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
            addTarget(reader.surface)
            preview?.let(::addTarget)
            set(CaptureRequest.CONTROL_AF_MODE, CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            val flash = if (torch) CameraMetadata.FLASH_MODE_TORCH else CameraMetadata.FLASH_MODE_OFF
            set(CaptureRequest.FLASH_MODE, flash)
        }
        capture?.setRepeatingRequest(request.build(), null, handler)
    }

    private fun guarded(work: () -> Unit) {
        try {
            if (!closed) work()
        } catch (e: CameraAccessException) {
            fail(Camera2Source.failureOf(e.reason))
        } catch (_: IllegalStateException) {
            // The session was replaced by a newer one meanwhile.
        } catch (_: RuntimeException) {
            fail(CameraFailure.FAILED)
        }
    }

    private fun fail(failure: CameraFailure) {
        if (closed) return
        close()
        main.post { listener.onFailed(failure) }
    }

    private inner class DeviceListener : CameraDevice.StateCallback() {
        override fun onOpened(opened: CameraDevice) {
            if (closed) {
                opened.close()
                return
            }
            device = opened
            startCapture()
            handler.postDelayed({ if (!framesCame) fail(CameraFailure.FAILED) }, FIRST_FRAME_MILLIS)
        }

        override fun onDisconnected(opened: CameraDevice) {
            opened.close()
            fail(CameraFailure.DISCONNECTED)
        }

        override fun onError(opened: CameraDevice, error: Int) {
            opened.close()
            fail(
                when (error) {
                    ERROR_CAMERA_IN_USE, ERROR_MAX_CAMERAS_IN_USE -> CameraFailure.IN_USE
                    ERROR_CAMERA_DISABLED -> CameraFailure.DISABLED
                    else -> CameraFailure.FAILED
                },
            )
        }
    }

    private inner class CaptureListener : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) {
            if (closed) return
            val first = capture == null && !framesCame
            capture = session
            repeat()
            if (first) main.post { if (!closed) listener.onOpened(camera) }
        }

        override fun onConfigureFailed(session: CameraCaptureSession) = fail(CameraFailure.FAILED)
    }

    private companion object {
        /** One in the model, one waiting, one arriving, and a spare one for [ImageReader.acquireLatestImage]. */
        const val OPEN_IMAGES = 4
        const val FIRST_FRAME_MILLIS = 8_000L
    }
}
