package org.kerassegformer.demo.engine

import org.bytedeco.javacpp.BytePointer
import org.bytedeco.tensorflowlite.TfLiteInterpreter
import org.bytedeco.tensorflowlite.TfLiteModel
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterAllocateTensors
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetInputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterGetOutputTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterInvoke
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteInterpreterOptionsSetNumThreads
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreate
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.kerassegformer.core.ModelSpec
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Interpreter of [TfLiteC], on the CPU.
 *
 * @param file the memory-mapped `.tflite` file; it must not change during the lifetime of the runner
 * @throws IllegalArgumentException the tensors differ from [spec], or TF Lite does not accept the file
 */
internal class TfLiteCRunner(private val file: ByteBuffer, spec: ModelSpec, threads: Int) : InferenceRunner {
    override val input: ByteBuffer = direct(spec.input.byteCount)
    override val output: ByteBuffer = direct(spec.output.byteCount)
    private val model: TfLiteModel =
        requireNotNull(TfLiteModelCreate(BytePointer(file), file.capacity().toLong())) { "TF Lite refuses the file." }
    private var interpreter: TfLiteInterpreter? = null
    private val inputTensor: TfLiteTensor
    private val outputTensor: TfLiteTensor

    init {
        try {
            val made = newInterpreter(threads)
            interpreter = made
            succeed("tensors", TfLiteInterpreterAllocateTensors(made))
            inputTensor = TfLiteInterpreterGetInputTensor(made, 0)
            outputTensor = TfLiteInterpreterGetOutputTensor(made, 0)
            check("input", inputTensor, input)
            check("output", outputTensor, output)
        } catch (failure: RuntimeException) {
            close()
            throw failure
        }
    }

    override fun run() {
        succeed("input", TfLiteTensorCopyFromBuffer(inputTensor, BytePointer(input), input.capacity().toLong()))
        succeed("network", TfLiteInterpreterInvoke(interpreter))
        succeed("output", TfLiteTensorCopyToBuffer(outputTensor, BytePointer(output), output.capacity().toLong()))
    }

    override fun close() {
        interpreter?.let(::TfLiteInterpreterDelete)
        interpreter = null
        TfLiteModelDelete(model)
    }

    private fun newInterpreter(threads: Int): TfLiteInterpreter {
        val options = TfLiteInterpreterOptionsCreate()
        TfLiteInterpreterOptionsSetNumThreads(options, threads)
        val made = TfLiteInterpreterCreate(model, options)
        TfLiteInterpreterOptionsDelete(options)
        return requireNotNull(made) { "TF Lite cannot run the file." }
    }

    private fun check(name: String, tensor: TfLiteTensor, buffer: ByteBuffer) =
        require(TfLiteTensorByteSize(tensor) == buffer.capacity().toLong()) {
            "The $name tensor has ${TfLiteTensorByteSize(tensor)} bytes, unlike in the JSON file."
        }

    private fun succeed(what: String, status: Int) = check(status == 0) { "TF Lite fails with the $what: $status." }

    private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
}
