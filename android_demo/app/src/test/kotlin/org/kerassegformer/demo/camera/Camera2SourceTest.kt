package org.kerassegformer.demo.camera

import android.Manifest
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.os.HandlerThread
import android.util.Size
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowLooper
import org.robolectric.shadows.StreamConfigurationMapBuilder
import org.robolectric.util.ReflectionHelpers
import java.time.Duration

@RunWith(RobolectricTestRunner::class)
internal class Camera2SourceTest {
    private val context: Context = RuntimeEnvironment.getApplication()
    private val heard = ArrayList<Any>()
    private val source = Camera2Source(context, Dispatchers.Main.immediate)
    private val listener = object : CameraListener {
        override fun onOpened(camera: OpenCamera) {
            heard += camera
        }

        override fun onFrame(image: YuvImage, camera: OpenCamera) = image.close()

        override fun onFailed(failure: CameraFailure) {
            heard += failure
        }

        override fun onAvailable() = Unit
    }

    private fun addCamera(id: String, lens: Int, vararg capabilities: Int) {
        val characteristics = ShadowCameraCharacteristics.newCameraCharacteristics()
        val sizes = StreamConfigurationMapBuilder.newBuilder()
            .addOutputSize(ImageFormat.YUV_420_888, Size(640, 480))
            .addOutputSize(ImageFormat.YUV_420_888, Size(1920, 1080))
            .build()
        shadowOf(characteristics).apply {
            set(CameraCharacteristics.LENS_FACING, lens)
            set(CameraCharacteristics.REQUEST_AVAILABLE_CAPABILITIES, capabilities)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
            set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
            set(CameraCharacteristics.FLASH_INFO_AVAILABLE, lens == CameraMetadata.LENS_FACING_BACK)
        }
        shadowOf(context.getSystemService(CameraManager::class.java)).addCamera(id, characteristics)
    }

    private val pictures = CameraMetadata.REQUEST_AVAILABLE_CAPABILITIES_BACKWARD_COMPATIBLE

    private fun waitForIdle() = repeat(4) {
        ShadowLooper.getAllLoopers().filter { it.thread.isAlive }.forEach { shadowOf(it).idle() }
    }

    private fun facings(): List<CameraFacing>? {
        var found: List<CameraFacing>? = null
        CoroutineScope(Dispatchers.Main.immediate).launch { found = source.findFacings() }
        waitForIdle()
        return found
    }

    @After
    fun release() = source.release()

    @Test
    fun `lists the sides with colour cameras`() {
        assertEquals(emptyList<CameraFacing>(), facings())
        addCamera("0", CameraMetadata.LENS_FACING_FRONT, pictures)
        addCamera("1", CameraMetadata.LENS_FACING_BACK, CameraMetadata.REQUEST_AVAILABLE_CAPABILITIES_DEPTH_OUTPUT)
        assertEquals(listOf(CameraFacing.FRONT), facings())
        addCamera("2", CameraMetadata.LENS_FACING_BACK, pictures)
        assertEquals(listOf(CameraFacing.BACK, CameraFacing.FRONT), facings())
    }

    @Test
    fun `a missing permission is reported, not thrown`() {
        addCamera("0", CameraMetadata.LENS_FACING_BACK, pictures)
        source.open(CameraFacing.BACK, listener)
        waitForIdle()
        assertEquals(listOf(CameraFailure.PERMISSION_DENIED), heard)
    }

    @Test
    fun `a missing camera is reported, not thrown`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        source.open(CameraFacing.BACK, listener)
        waitForIdle()
        assertEquals(listOf(CameraFailure.DISCONNECTED), heard)
    }

    @Test
    fun `opens a camera with a suitable frame size`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        addCamera("0", CameraMetadata.LENS_FACING_BACK, pictures)
        source.open(CameraFacing.BACK, listener)
        waitForIdle()
        assertEquals(listOf(OpenCamera(CameraFacing.BACK, 90, 640, 480, hasTorch = true)), heard)
        source.setTorch(true)
        source.close()
        waitForIdle()
        assertEquals(1, heard.size)
    }

    @Test
    fun `a camera that is closed at once reports nothing`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        addCamera("0", CameraMetadata.LENS_FACING_BACK, pictures)
        source.open(CameraFacing.BACK, listener)
        source.close()
        waitForIdle()
        assertEquals(emptyList<Any>(), heard)
    }

    @Test
    fun `switching opens the other camera once the first has closed`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        addCamera("0", CameraMetadata.LENS_FACING_BACK, pictures)
        addCamera("1", CameraMetadata.LENS_FACING_FRONT, pictures)
        source.open(CameraFacing.BACK, listener)
        waitForIdle()
        source.open(CameraFacing.FRONT, listener)
        source.open(CameraFacing.BACK, listener)
        source.open(CameraFacing.FRONT, listener)
        waitForIdle()
        shadowOf(cameraLooper()).idleFor(Duration.ofMillis(CameraGate.LONGEST_CLOSE_MILLIS))
        waitForIdle()
        assertEquals(listOf(CameraFacing.BACK, CameraFacing.FRONT), heard.map { (it as OpenCamera).facing })
    }

    @Test
    fun `a released camera reports nothing, and can no longer be opened`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)
        addCamera("0", CameraMetadata.LENS_FACING_BACK, pictures)
        source.open(CameraFacing.BACK, listener)
        val thread = cameraLooper().thread
        source.release()
        thread.join(20_000)
        source.open(CameraFacing.BACK, listener)
        ShadowLooper.idleMainLooper()
        assertEquals(emptyList<Any>(), heard)
    }

    @Test
    fun `the thread ends with the source`() {
        val thread = cameraLooper().thread
        source.release()
        thread.join(20_000)
        assertFalse(thread.isAlive)
    }

    private fun cameraLooper() = ReflectionHelpers.getField<HandlerThread>(source, "thread").looper

    @Test
    fun `converts the error codes of the service`() {
        val expected = mapOf(
            CameraAccessException.CAMERA_IN_USE to CameraFailure.IN_USE,
            CameraAccessException.MAX_CAMERAS_IN_USE to CameraFailure.IN_USE,
            CameraAccessException.CAMERA_DISABLED to CameraFailure.DISABLED,
            CameraAccessException.CAMERA_DISCONNECTED to CameraFailure.DISCONNECTED,
            CameraAccessException.CAMERA_ERROR to CameraFailure.FAILED,
        )
        assertEquals(expected, expected.mapValues { (reason, _) -> Camera2Source.failureOf(reason) })
    }
}
