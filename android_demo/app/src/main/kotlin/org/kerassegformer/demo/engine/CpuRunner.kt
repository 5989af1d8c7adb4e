package org.kerassegformer.demo.engine

import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.BuiltinOpResolver
import org.bytedeco.tensorflowlite.FlatBufferModel
import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.InterpreterBuilder
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.RuntimeVersion
import java.nio.ByteBuffer

/**
 * Interpreter of [CpuLibrary] with XNNPACK. That is why it uses TF Lite's C++ classes: the functions for C create
 * interpreters without XNNPACK, and their bindings lack the one that adds it.
 *
 * @param file the memory-mapped `.tflite` file; it must not change during the lifetime of the runner
 * @throws IllegalArgumentException the tensors differ from [spec], or TF Lite does not accept the file
 * @throws LinkageError the library cannot be loaded
 */
internal class CpuRunner(private val file: ByteBuffer, spec: ModelSpec, threads: Int) : InferenceRunner {
    override val runtime: RuntimeVersion? = CpuLibrary.version()
    override val input: ByteBuffer = directBuffer(spec.input.byteCount)
    override val output: ByteBuffer = directBuffer(spec.output.byteCount)

    /** Native objects, each after those that it refers to. */
    private val owned = ArrayList<Pointer>()
    private val interpreter: Interpreter
    private val inputTensor: TfLiteTensor
    private val outputTensor: TfLiteTensor

    init {
        try {
            interpreter = newInterpreter(threads)
            succeed("tensors", interpreter.AllocateTensors())
            inputTensor = interpreter.input_tensor(0)
            outputTensor = interpreter.output_tensor(0)
            check("input", inputTensor, input)
            check("output", outputTensor, output)
        } catch (failure: Throwable) {
            close()
            throw failure
        }
    }

    override fun run() {
        succeed("input", TfLiteTensorCopyFromBuffer(inputTensor, BytePointer(input), input.capacity().toLong()))
        succeed("network", interpreter.Invoke())
        succeed("output", TfLiteTensorCopyToBuffer(outputTensor, BytePointer(output), output.capacity().toLong()))
    }

    override fun close() {
        owned.asReversed().forEach(Pointer::close)
        owned.clear()
    }

    private fun newInterpreter(threads: Int): Interpreter {
        val model = FlatBufferModel.VerifyAndBuildFromBuffer(BytePointer(file), file.capacity().toLong())
        owned += requireNotNull(model) { "TF Lite refuses the file." }
        val operators = BuiltinOpResolver().also(owned::add)
        val made = Interpreter(null as Pointer?).also(owned::add)
        val status = InterpreterBuilder(model, operators).use { builder ->
            builder.SetNumThreads(threads)
            builder.apply(made)
        }
        require(status == OK && !made.isNull) { "TF Lite cannot run the file: $status." }
        return made
    }

    private fun check(name: String, tensor: TfLiteTensor, buffer: ByteBuffer) =
        require(TfLiteTensorByteSize(tensor) == buffer.capacity().toLong()) {
            "The $name tensor has ${TfLiteTensorByteSize(tensor)} bytes, unlike in the JSON file."
        }

    private fun succeed(what: String, status: Int) = check(status == OK) { "TF Lite fails with the $what: $status." }

    private companion object {
        const val OK = 0
    }
}
