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
import android.util.Range
import android.view.Surface
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import java.util.concurrent.atomic.AtomicInteger

/**
 * One camera, from opening to closing. Callbacks of the camera service after [close] are ignored, except for the one
 * that opens the [gate] for the next camera.
 *
 * Everything runs on the thread of [handler], which is that of [scope].
 *
 * @param view what it shows of its sensor
 * @param rates frames per second; null for the default of the camera
 * @param stillSize width and height of still images; null if there are none
 */
internal class Camera2Session(
    val id: String,
    private val camera: OpenCamera,
    private val view: CameraView,
    private val clock: FrameClock,
    private val rates: IntRange?,
    stillSize: Pair<Int, Int>?,
    private val listener: CameraListener,
    private val handler: Handler,
    private val scope: CoroutineScope,
    private val gate: CameraGate,
) {
    private val reader = ImageReader.newInstance(camera.width, camera.height, ImageFormat.YUV_420_888, OPEN_IMAGES)
    private var still = stillSize?.let { (width, height) -> StillReader(width, height, handler) }
    private var device: CameraDevice? = null
    private var capture: CameraCaptureSession? = null
    private var preview: Surface? = null
    private var torch = false
    private var framesCame = false
    private var attempts = 0
    private var focusing: Job? = null
    private var closed = false

    /** Users of [reader]: this session, and the frames that the listener has not closed, whose memory it owns. */
    private val users = AtomicInteger(1)

    /** Opens the camera. @param texture preview, or null */
    @SuppressLint("MissingPermission")
    fun open(manager: CameraManager, texture: SurfaceTexture?) {
        preview = surfaceOf(texture)
        reader.setOnImageAvailableListener({ deliver() }, handler)
        manager.openCamera(id, DeviceListener(), handler)
    }

    fun showOn(texture: SurfaceTexture?) {
        preview?.release()
        preview = surfaceOf(texture)
        attempts = 0
        if (device != null) startCapture()
    }

    fun setTorch(on: Boolean) {
        torch = on
        repeat()
    }

    fun setZoom(zoom: Float) {
        view.zoom = zoom
        repeat()
    }

    /** Focuses on a point of the frame for a while, if the camera can. */
    fun focusAt(x: Float, y: Float) {
        if (!view.focusAt(x, y)) return
        repeat(startFocus = true)
        focusing?.cancel()
        focusing = after(FOCUS_MILLIS) {
            view.releaseFocus()
            repeat()
        }
    }

    /** Takes a still image. @return a JPEG, or null if the camera cannot take one or is closed meanwhile */
    suspend fun takeStill(): ByteArray? {
        val device = device
        val session = capture
        val still = still
        if (closed || device == null || session == null || still == null) return null
        return still.take(device, session) { setUp(this) }
    }

    /** Closes the camera. The listener receives no more calls. */
    fun close() {
        if (closed) return
        closed = true
        gate.closing(this)
        capture?.close()
        device?.close()
        preview?.release()
        still?.close()
        leaveReader()
    }

    /** Closes the reader with its last user, on any thread. */
    private fun leaveReader() {
        if (users.decrementAndGet() > 0) return
        // The thread ends when the screen is left; a frame may come back from the model later.
        if (!handler.post(reader::close)) reader.close()
    }

    private fun deliver() {
        val image = acquire() ?: return
        if (closed) {
            image.close()
            return
        }
        framesCame = true
        users.incrementAndGet()
        listener.onFrame(ImageYuv(image, clock.ageNanos(image.timestamp), ::leaveReader), camera)
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

    private fun startCapture() {
        if (closed) return
        try {
            capture?.close()
            capture = null
            val outputs = listOfNotNull(reader.surface, preview, still?.surface)
            // The replacement of this method requires Android 9.
            @Suppress("DEPRECATION")
            device?.createCaptureSession(outputs, CaptureListener(), handler)
        } catch (failure: Exception) {
            retryCapture(Camera2Source.failureOf(failure))
        }
    }

    /** Creating a session fails now and then, for example while the preview is being replaced. */
    private fun retryCapture(failure: CameraFailure) {
        if (++attempts > RETRIES) return fail(failure)
        if (attempts == RETRIES) {
            // Some cameras do not keep their promise of three outputs: then the last frame is frozen.
            still?.close()
            still = null
        }
        after(RETRY_MILLIS) { startCapture() }
    }

    /** Sets what frames and still images have in common. */
    private fun setUp(request: CaptureRequest.Builder) {
        view.setUp(request)
        val flash = if (torch) CameraMetadata.FLASH_MODE_TORCH else CameraMetadata.FLASH_MODE_OFF
        request.set(CaptureRequest.FLASH_MODE, flash)
    }

    private fun repeat(startFocus: Boolean = false) {
        val device = device ?: return
        val session = capture ?: return
        if (closed) return
        try {
            val request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                addTarget(reader.surface)
                preview?.let(::addTarget)
                setUp(this)
                rates?.let { set(CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE, Range(it.first, it.last)) }
            }
            session.setRepeatingRequest(request.build(), null, handler)
            if (startFocus) {
                request.set(CaptureRequest.CONTROL_AF_TRIGGER, CameraMetadata.CONTROL_AF_TRIGGER_START)
                session.capture(request.build(), null, handler)
            }
        } catch (failure: CameraAccessException) {
            fail(Camera2Source.failureOf(failure))
        } catch (_: IllegalStateException) {
            // The session was replaced by a newer one meanwhile.
        } catch (failure: RuntimeException) {
            fail(Camera2Source.failureOf(failure))
        }
    }

    private fun after(millis: Long, action: () -> Unit) = scope.launch {
        delay(millis)
        action()
    }

    private fun fail(failure: CameraFailure) {
        if (closed) return
        close()
        listener.onFailed(failure)
    }

    private inner class DeviceListener : CameraDevice.StateCallback() {
        override fun onOpened(opened: CameraDevice) {
            device = opened
            if (closed) {
                opened.close()
                return
            }
            startCapture()
            after(FIRST_FRAME_MILLIS) { if (!framesCame) fail(CameraFailure.FAILED) }
        }

        override fun onClosed(camera: CameraDevice) = gate.leave(this@Camera2Session)

        override fun onDisconnected(opened: CameraDevice) = end(opened, CameraFailure.DISCONNECTED)

        override fun onError(opened: CameraDevice, error: Int) = end(
            opened,
            when (error) {
                ERROR_CAMERA_IN_USE, ERROR_MAX_CAMERAS_IN_USE -> CameraFailure.IN_USE
                ERROR_CAMERA_DISABLED -> CameraFailure.DISABLED
                else -> CameraFailure.FAILED
            },
        )

        private fun end(opened: CameraDevice, failure: CameraFailure) {
            // A camera that was never opened does not report that it has closed.
            val wasOpen = device != null
            opened.close()
            fail(failure)
            if (!wasOpen) gate.leave(this@Camera2Session)
        }
    }

    private inner class CaptureListener : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) {
            if (closed) return
            val first = capture == null && !framesCame
            capture = session
            attempts = 0
            repeat()
            if (first) listener.onOpened(camera)
        }

        override fun onConfigureFailed(session: CameraCaptureSession) = retryCapture(CameraFailure.FAILED)
    }

    private companion object {
        /** One in the model, one waiting, one arriving, and a spare one for [ImageReader.acquireLatestImage]. */
        const val OPEN_IMAGES = 4
        const val FIRST_FRAME_MILLIS = 8_000L
        const val RETRIES = 2

        /** After a tap, the camera stays focused on its point for this time. */
        const val FOCUS_MILLIS = 4_000L
        const val RETRY_MILLIS = 300L
    }
}
