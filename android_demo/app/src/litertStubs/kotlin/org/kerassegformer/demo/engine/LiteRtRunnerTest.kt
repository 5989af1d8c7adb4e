package org.kerassegformer.demo.engine

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.FakeLiteRt
import org.junit.After
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.OutputSpec
import org.kerassegformer.core.Processor
import org.kerassegformer.core.TensorType
import org.kerassegformer.demo.models.ModelLocation
import org.kerassegformer.demo.ui.modelNamed
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import java.io.File

/** The flavour litert, with stubs of LiteRT 2: its calls and copies, not the real library. */
@RunWith(RobolectricTestRunner::class)
internal class LiteRtRunnerTest {
    private val location = ModelLocation.OnDisk(File("/nowhere/model.tflite"))

    private fun file(input: TensorType, output: OutputKind = OutputKind.LABELS): ModelFile {
        val file = modelNamed().set.files.first()
        val spec = file.spec.copy(input = InputSpec(2, 2, input), output = OutputSpec(output, 2, 2, 1))
        return file.copy(spec = spec)
    }

    private fun create(file: ModelFile, processor: Processor): InferenceRunner {
        val factory = checkNotNull(liteRtRunnerFactory(RuntimeEnvironment.getApplication()))
        return factory.create(file, location, processor, threads = 3)
    }

    /** Those of [file]. */
    @Before
    fun setTensors() {
        FakeLiteRt.inputElements = 12
        FakeLiteRt.outputElements = 4
    }

    @After
    fun reset() {
        assertEquals("everything is closed", 0, FakeLiteRt.open)
        FakeLiteRt.hasNpu = true
        FakeLiteRt.hasMemory = true
        FakeLiteRt.runs.clear()
    }

    @Test
    fun `bytes and floats reach the model, and labels and logits the app`() {
        create(file(TensorType.UINT8), Processor.NNAPI).use { runner ->
            repeat(2) { round ->
                for (i in 0 until 12) runner.input.put(i, (200 + i + round).toByte())
                runner.run()
                val labels = IntArray(4) { runner.output.getInt(4 * it) }
                assertArrayEquals(IntArray(4) { 200 + 3 * it + round }, labels)
            }
        }
        create(file(TensorType.FLOAT32, OutputKind.LOGITS), Processor.GPU).use { runner ->
            for (i in 0 until 12) runner.input.putFloat(4 * i, i.toFloat())
            runner.run()
            assertEquals(9f, runner.output.getFloat(12))
        }
    }

    @Test
    fun `each processor is asked for alone`() {
        for (processor in Processor.entries) create(file(TensorType.FLOAT32), processor).use { it.run() }
        val expected = listOf(
            listOf(Accelerator.GPU) to null,
            listOf(Accelerator.NPU) to null,
            listOf(Accelerator.CPU) to 3,
        )
        assertEquals(expected, FakeLiteRt.runs)
    }

    @Test
    fun `a chip without NPU libraries is reported`() {
        FakeLiteRt.hasNpu = false
        val failure = assertThrows(IllegalStateException::class.java) { create(file(TensorType.UINT8), Processor.NNAPI) }
        assertTrue(failure.message.orEmpty(), "NPU" in failure.message.orEmpty())
    }

    @Test
    fun `tensors of another size are refused`() {
        for (input in listOf(TensorType.UINT8, TensorType.FLOAT32)) {
            FakeLiteRt.inputElements = 15
            assertRefused("input", file(input))
            setTensors()
            FakeLiteRt.outputElements = 3
            for (output in listOf(OutputKind.LABELS, OutputKind.LOGITS)) assertRefused("output", file(input, output))
            setTensors()
        }
    }

    private fun assertRefused(tensor: String, file: ModelFile) {
        val refusal = assertThrows(IllegalArgumentException::class.java) { create(file, Processor.GPU) }
        assertTrue(refusal.message.orEmpty(), "$tensor tensor" in refusal.message.orEmpty())
    }

    @Test
    fun `buffers are freed if the others cannot be created`() {
        FakeLiteRt.hasMemory = false
        assertThrows(IllegalStateException::class.java) { create(file(TensorType.UINT8), Processor.GPU) }
    }

    @Test
    fun `files of any version run on LiteRT`() = assertNull(tfLiteVersion(isLiteRt = true))
}
