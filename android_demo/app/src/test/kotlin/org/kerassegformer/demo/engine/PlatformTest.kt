package org.kerassegformer.demo.engine

import android.app.ActivityManager
import android.app.ApplicationExitInfo
import android.content.Context
import android.opengl.GLES20
import android.os.Build
import android.os.PowerManager
import org.bytedeco.javacpp.Loader
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.Interpreter
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.ExitCause
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.core.TensorType
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.models.ModelLocation
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowActivityManager.ApplicationExitInfoBuilder
import org.robolectric.util.ReflectionHelpers
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A GPU with a name. */
@Implements(GLES20::class)
internal object NamedGpu {
    @JvmStatic
    @Implementation
    fun glGetString(name: Int): String? = mapOf(GLES20.GL_RENDERER to "renderer 7", GLES20.GL_VERSION to "version 3")[name]
}

/** The engine's use of Android APIs. */
@RunWith(RobolectricTestRunner::class)
@Config(shadows = [NamedGpu::class])
class PlatformTest {
    private val context: Context = RuntimeEnvironment.getApplication()
    private val sdk = Build.VERSION.SDK_INT

    @After
    fun restore() = pretend(sdk)

    private fun pretend(sdk: Int) = ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", sdk)

    @Test
    fun `the thermal status is that of the power manager`() {
        val power = shadowOf(context.getSystemService(PowerManager::class.java))
        val source = SystemThermalMonitor(context)
        val heard = mutableListOf<ThermalStatus>()
        val listening = source.listen { heard += it }

        power.setCurrentThermalStatus(PowerManager.THERMAL_STATUS_SEVERE)
        assertEquals(ThermalStatus.SEVERE, source.current())
        assertEquals(ThermalStatus.SEVERE, heard.last())

        listening.close()
        power.setCurrentThermalStatus(PowerManager.THERMAL_STATUS_NONE)
        assertEquals(ThermalStatus.SEVERE, heard.last())
    }

    @Test
    fun `before Android 10 the thermal status is unknown`() {
        pretend(Build.VERSION_CODES.P)
        val source = SystemThermalMonitor(context)
        assertNull(source.current())
        source.listen { throw AssertionError("$it") }.close()
    }

    @Test
    fun `the cause of an end is that of the process with the ID`() {
        assertEquals("there is no record", ExitCause.UNKNOWN, exitCauseOf(context, process = 7))
        val manager = shadowOf(context.getSystemService(ActivityManager::class.java))
        fun end(process: Int, reason: Int, status: Int = 0) = manager.addApplicationExitInfo(
            ApplicationExitInfoBuilder.newBuilder().setPid(process).setReason(reason).setStatus(status).build(),
        )
        end(1, ApplicationExitInfo.REASON_CRASH_NATIVE)
        end(2, ApplicationExitInfo.REASON_USER_REQUESTED)
        end(3, ApplicationExitInfo.REASON_LOW_MEMORY)
        end(4, ApplicationExitInfo.REASON_SIGNALED, status = 11)
        end(5, ApplicationExitInfo.REASON_SIGNALED, status = 9)

        val causes = (1..5).map { exitCauseOf(context, it) }

        assertEquals(
            listOf(ExitCause.CRASH, ExitCause.BENIGN, ExitCause.UNKNOWN, ExitCause.CRASH, ExitCause.UNKNOWN),
            causes,
        )
        assertEquals("the record of another process", ExitCause.UNKNOWN, exitCauseOf(context, process = 7))
        pretend(Build.VERSION_CODES.Q)
        assertEquals(ExitCause.UNKNOWN, exitCauseOf(context, process = 1))
    }

    @Test
    fun `the version of the runtime comes from its library`() {
        assertEquals("that of the library for the CPU", RuntimeVersion(2, 21), tfLiteVersion(isLiteRt = false))
        assertEquals(RuntimeVersion(2, 16, 1), runtimeVersionOf("2.16.1"))
        assertEquals(RuntimeVersion(2, 21), runtimeVersionOf("2.21.0-rc1"))
        assertNull(runtimeVersionOf("unknown"))
    }

    @Test
    fun `delegates that are not packed or cannot be loaded are not used`() {
        val packed = { _: String -> true }
        assertEquals(emptyMap<Processor, String>(), unsupportedProcessors(4096, packed))
        assertTrue("16 KB" in unsupportedProcessors(16384, packed).getValue(Processor.GPU))
        val inStore = unsupportedProcessors(4096) { "tensorflowlite_gpu_jni" != it && "tensorflowlite_jni" != it }
        assertEquals(setOf(Processor.GPU, Processor.NNAPI), inStore.keys)
    }

    @Test
    fun `the factory of the app runs the CPU with XNNPACK`() {
        val path = "models/b0_camvid_int8"
        val spec = ModelSpec.parse(File("src/main/assets/$path.json").readText(), RuntimeVersion(2, 21))
        val factory = TfLiteRunnerFactory.of(context)
        val file = ModelFile("b0_camvid_int8", spec)
        factory.create(file, ModelLocation.Asset("$path.tflite"), Processor.CPU, threads = 1).use {
            // Operators that run one after another; all that XNNPACK runs at once count as one.
            val steps = ReflectionHelpers.getField<Interpreter>(it, "interpreter").execution_plan().limit()
            assertTrue("$steps steps", steps < 20)
        }
    }

    @Test
    fun `a file that the library for the CPU cannot run is refused`() {
        val spec = ModelSpec.parse(File("src/main/assets/models/b0_camvid_int8.json").readText(), RuntimeVersion(2, 21))
        val noise = ByteBuffer.allocateDirect(4096)
        assertThrows(IllegalArgumentException::class.java) { CpuRunner(noise, spec, threads = 1) }
        val mapped = mapModel(context.assets, ModelLocation.Asset("models/b0_camvid_int8.tflite"))
        val other = spec.copy(input = spec.input.copy(width = 8))
        val failure = assertThrows(IllegalArgumentException::class.java) { CpuRunner(mapped, other, threads = 1) }
        assertTrue("$failure", "input tensor" in failure.message!!)
    }

    @Test
    fun `the driver of the GPU is its renderer and its version`() {
        assertEquals("renderer 7 version 3", gpuDriver())
    }

    @Test
    fun `memory that JavaCPP has not allocated does not stop it`() {
        CpuLibrary.load()
        assertEquals(0, Pointer.maxPhysicalBytes())
    }

    @Test
    fun `the system loads the library where it is`() {
        // Only Maven's build names a folder with the libraries of the host; elsewhere JavaCPP copies them.
        assumeTrue("host.libraries names no folder", System.getProperty("host.libraries") != null)
        assertTrue(CpuLibrary.isLoadedInPlace)
        assertFalse("JavaCPP would copy it", Loader.isLoadLibraries())
    }

    @Test
    fun `delegates refuse files that only the library for the CPU is new enough for`() {
        checkDelegateRuntime(RuntimeVersion(2, 16), RuntimeVersion(2, 16, 1))
        checkDelegateRuntime(RuntimeVersion(2, 17), runtime = null)
        val refusal = assertThrows(IllegalArgumentException::class.java) {
            checkDelegateRuntime(RuntimeVersion(2, 17), RuntimeVersion(2, 16, 1))
        }
        assertTrue("names the remedy", "--runtime tflite-2.16" in refusal.message.orEmpty())
    }

    @Test
    fun `assets and files are memory-mapped unchanged`() {
        val path = "models/b0_camvid_int8.tflite"
        val expected = File("src/main/assets/$path").readBytes()
        for (location in listOf(ModelLocation.Asset(path), ModelLocation.OnDisk(File("src/main/assets/$path")))) {
            val mapped = mapModel(context.assets, location)
            assertTrue(mapped.isDirect)
            assertArrayEquals(expected, ByteArray(mapped.remaining()).also(mapped::get))
        }
    }

    @Test
    fun `the self-check image is the same for bytes and for floats`() {
        val picture = BundledSelfCheckImage(context.assets)
        val bytes = written(picture, InputSpec(64, 48, TensorType.UINT8))
        val floats = written(picture, InputSpec(64, 48, TensorType.FLOAT32))
        val values = (0 until 64 * 48 * 3).map { bytes.get(it).toInt() and 0xff }
        assertEquals(values.map(Int::toFloat), values.indices.map { floats.getFloat(4 * it) })
        assertTrue("the image is not uniform", values.toSet().size > 100)
    }

    private fun written(picture: SelfCheckImage, spec: InputSpec): ByteBuffer =
        ByteBuffer.allocateDirect(spec.byteCount).order(ByteOrder.nativeOrder()).also { picture.writeTo(it, spec) }
}
