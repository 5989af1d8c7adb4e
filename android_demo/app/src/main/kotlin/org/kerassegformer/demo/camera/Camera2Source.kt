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
import android.os.Looper

/** The cameras of the device, through Camera2. Main thread only. */
internal class Camera2Source(private val context: Context) : CameraSource {
    private val manager: CameraManager? = context.getSystemService(CameraManager::class.java)
    private val main = Handler(Looper.getMainLooper())
    private val thread by lazy { HandlerThread("camera").apply { start() } }
    private val handler by lazy { Handler(thread.looper) }
    private var session: Camera2Session? = null
    private var texture: SurfaceTexture? = null
    private var availability: CameraManager.AvailabilityCallback? = null

    override fun facings(): List<CameraFacing> = CameraFacing.entries.filter { idOf(it) != null }

    override fun open(facing: CameraFacing, listener: CameraListener) {
        close()
        listenForAvailability(listener)
        try {
            val next = newSession(facing, listener)
            session = next
            next.open(requireManager(), texture)
        } catch (e: CameraAccessException) {
            fail(listener, failureOf(e.reason))
        } catch (_: SecurityException) {
            fail(listener, CameraFailure.PERMISSION_DENIED)
        } catch (_: RuntimeException) {
            // Drivers and services also throw undocumented exceptions.
            fail(listener, CameraFailure.FAILED)
        }
    }

    private fun fail(listener: CameraListener, failure: CameraFailure) {
        session?.close()
        session = null
        main.post { listener.onFailed(failure) }
    }

    private fun newSession(facing: CameraFacing, listener: CameraListener): Camera2Session {
        val allowed = context.checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED
        if (!allowed) throw SecurityException("The camera permission is not granted.")
        val id = idOf(facing) ?: throw CameraAccessException(CameraAccessException.CAMERA_DISCONNECTED)
        val characteristics = requireManager().getCameraCharacteristics(id)
        val (width, height) = sizeOf(characteristics) ?: throw CameraAccessException(CameraAccessException.CAMERA_ERROR)
        val camera = OpenCamera(
            facing = facing,
            sensorDegrees = characteristics[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0,
            width = width,
            height = height,
            hasTorch = characteristics[CameraCharacteristics.FLASH_INFO_AVAILABLE] == true,
        )
        val clock = FrameClock.of(characteristics[CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE])
        return Camera2Session(id, camera, clock, listener, handler, main)
    }

    override fun showOn(texture: SurfaceTexture?) {
        this.texture = texture
        session?.showOn(texture)
    }

    override fun setTorch(on: Boolean) {
        session?.setTorch(on)
    }

    override fun close() {
        session?.close()
        session = null
        availability?.let { manager?.unregisterAvailabilityCallback(it) }
        availability = null
    }

    private fun listenForAvailability(listener: CameraListener) {
        val callback = object : CameraManager.AvailabilityCallback() {
            override fun onCameraAvailable(cameraId: String) = listener.onAvailable()
        }
        availability = callback
        manager?.registerAvailabilityCallback(callback, main)
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

    private fun sizeOf(characteristics: CameraCharacteristics): Pair<Int, Int>? =
        characteristics[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
            ?.getOutputSizes(ImageFormat.YUV_420_888)
            ?.map { it.width to it.height }
            ?.let(FrameSizes::choose)

    internal companion object {
        /** Converts an error code of the camera service. */
        fun failureOf(reason: Int): CameraFailure = when (reason) {
            CameraAccessException.CAMERA_IN_USE, CameraAccessException.MAX_CAMERAS_IN_USE -> CameraFailure.IN_USE
            CameraAccessException.CAMERA_DISABLED -> CameraFailure.DISABLED
            CameraAccessException.CAMERA_DISCONNECTED -> CameraFailure.DISCONNECTED
            else -> CameraFailure.FAILED
        }
    }
}
