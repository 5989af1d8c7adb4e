package org.kerassegformer.demo.camera

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.os.Handler
import android.os.HandlerThread
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.android.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * The cameras of the device, through Camera2. Main thread only; calls of the camera service, which may take long, are
 * made on a thread of its own.
 *
 * @param main the main thread
 */
internal class Camera2Source(private val context: Context, private val main: CoroutineDispatcher) : CameraSource {
    // Before Android 9, Camera2 reports to a Handler and to nothing else: the coroutines run on its thread too.
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val dispatcher = handler.asCoroutineDispatcher("camera")
    private val scope = CoroutineScope(SupervisorJob() + dispatcher)
    private val gate = CameraGate { millis, action ->
        scope.launch {
            delay(millis)
            action()
        }
    }
    private var subscription: CameraSubscription? = null

    // Used on the camera's thread.
    private val manager: CameraManager? by lazy { context.getSystemService(CameraManager::class.java) }
    private var session: Camera2Session? = null
    private var texture: SurfaceTexture? = null
    private var availability: CameraManager.AvailabilityCallback? = null

    override suspend fun findFacings(): List<CameraFacing> =
        withContext(dispatcher) { CameraFacing.entries.filter { idOf(it) != null } }

    override fun open(facing: CameraFacing, listener: CameraListener) {
        close()
        val next = CameraSubscription(listener, main)
        subscription = next
        scope.launch { openNow(facing, next) }
    }

    override fun showOn(texture: SurfaceTexture?) {
        scope.launch {
            this@Camera2Source.texture = texture
            session?.showOn(texture)
        }
    }

    override fun setTorch(on: Boolean) {
        scope.launch { session?.setTorch(on) }
    }

    override fun setZoom(zoom: Float) {
        scope.launch { session?.setZoom(zoom) }
    }

    override fun focusAt(x: Float, y: Float) {
        scope.launch { session?.focusAt(x, y) }
    }

    override suspend fun takeStill(): ByteArray? {
        val current = subscription ?: return null
        val jpeg = withContext(dispatcher) { session?.takeStill() }
        return jpeg.takeUnless { current.isCancelled }
    }

    override fun close() {
        subscription?.cancel()
        subscription = null
        scope.launch { closeNow() }
    }

    override fun release() {
        close()
        // The camera service still reports that the camera has closed.
        scope.launch { gate.whenEmpty(::end) }
    }

    private fun end() {
        scope.cancel()
        thread.quitSafely()
    }

    private fun openNow(facing: CameraFacing, subscription: CameraSubscription) {
        if (subscription.isCancelled) return
        closeNow()
        try {
            val next = newSession(facing, subscription)
            session = next
            gate.enter(next) { open(next, subscription) }
        } catch (failure: Exception) {
            subscription.onFailed(failureOf(failure))
        }
    }

    private fun open(next: Camera2Session, subscription: CameraSubscription) {
        try {
            listenForAvailability(next.id, subscription)
            next.open(requireManager(), texture)
        } catch (failure: Exception) {
            next.close()
            gate.leave(next)
            subscription.onFailed(failureOf(failure))
        }
    }

    private fun closeNow() {
        session?.close()
        session = null
        availability?.let { manager?.unregisterAvailabilityCallback(it) }
        availability = null
    }

    private fun newSession(facing: CameraFacing, subscription: CameraSubscription): Camera2Session {
        val allowed = context.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED
        if (!allowed) throw SecurityException("The camera permission is not granted.")
        val id = idOf(facing) ?: throw CameraAccessException(CameraAccessException.CAMERA_DISCONNECTED)
        val characteristics = requireManager().getCameraCharacteristics(id)
        val (width, height) = sizesOf(characteristics, ImageFormat.YUV_420_888).let(FrameSizes::choose)
            ?: throw CameraAccessException(CameraAccessException.CAMERA_ERROR)
        val view = CameraView.of(characteristics)
        val camera = OpenCamera(
            facing = facing,
            sensorDegrees = characteristics[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0,
            width = width,
            height = height,
            hasTorch = characteristics[CameraCharacteristics.FLASH_INFO_AVAILABLE] == true,
            mostZoom = view.mostZoom,
        )
        val clock = FrameClock.of(characteristics[CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE])
        val rates = FrameRates.choose(ratesOf(characteristics))
        val still = sizesOf(characteristics, ImageFormat.JPEG).let(FrameSizes::chooseStill)
        return Camera2Session(id, camera, view, clock, rates, still, subscription, handler, scope, gate)
    }

    private fun listenForAvailability(id: String, subscription: CameraSubscription) {
        val camera = CameraAvailability(id)
        val callback = object : CameraManager.AvailabilityCallback() {
            override fun onCameraUnavailable(cameraId: String) = camera.onUnavailable(cameraId)

            override fun onCameraAvailable(cameraId: String) {
                if (camera.onAvailable(cameraId)) subscription.onAvailable()
            }
        }
        availability = callback
        manager?.registerAvailabilityCallback(callback, handler)
    }

    private fun requireManager(): CameraManager =
        manager ?: throw CameraAccessException(CameraAccessException.CAMERA_DISABLED)

    /** Returns the first camera of a side, which is the main one, or null if there is none or the query fails. */
    private fun idOf(facing: CameraFacing): String? = try {
        manager?.cameraIdList?.firstOrNull { facingOf(it) == facing }
    } catch (_: CameraAccessException) {
        null
    } catch (_: RuntimeException) {
        // Thrown if the camera service has died.
        null
    }

    private fun facingOf(id: String): CameraFacing? {
        val characteristics = requireManager().getCameraCharacteristics(id)
        val capabilities = characteristics[CameraCharacteristics.REQUEST_AVAILABLE_CAPABILITIES]
        val pictures = CameraMetadata.REQUEST_AVAILABLE_CAPABILITIES_BACKWARD_COMPATIBLE
        // Depth and infrared cameras deliver no colour images.
        if (capabilities != null && pictures !in capabilities) return null
        val front = characteristics[CameraCharacteristics.LENS_FACING] == CameraMetadata.LENS_FACING_FRONT
        return if (front) CameraFacing.FRONT else CameraFacing.BACK
    }

    private fun sizesOf(characteristics: CameraCharacteristics, format: Int): List<Pair<Int, Int>> =
        characteristics[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
            ?.getOutputSizes(format).orEmpty()
            .map { it.width to it.height }

    private fun ratesOf(characteristics: CameraCharacteristics): List<IntRange> =
        characteristics[CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES].orEmpty()
            .map { it.lower..it.upper }

    internal companion object {
        /** Converts an exception of the service or of a driver, which also throws undocumented ones. */
        fun failureOf(failure: Exception): CameraFailure = when (failure) {
            is CameraAccessException -> failureOf(failure.reason)
            is SecurityException -> CameraFailure.PERMISSION_DENIED
            else -> CameraFailure.FAILED
        }

        /** Converts an error code of the camera service. */
        fun failureOf(reason: Int): CameraFailure = when (reason) {
            CameraAccessException.CAMERA_IN_USE, CameraAccessException.MAX_CAMERAS_IN_USE -> CameraFailure.IN_USE
            CameraAccessException.CAMERA_DISABLED -> CameraFailure.DISABLED
            CameraAccessException.CAMERA_DISCONNECTED -> CameraFailure.DISCONNECTED
            else -> CameraFailure.FAILED
        }
    }
}
