package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelSpec
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * TF Lite's interpreter with an accelerator's [delegate], or none for the CPU.
 *
 * @param model the `.tflite` file, mapped; it must stay as it is while the runner lives
 * @throws IllegalArgumentException the file's tensors are not those of [spec], or TF Lite cannot take the file
 */
internal class TfLiteRunner(model: ByteBuffer, spec: ModelSpec, threads: Int, private val delegate: Delegate?) :
    InferenceRunner {
    override val input: ByteBuffer = direct(spec.input.byteCount)
    override val output: ByteBuffer = direct(spec.output.byteCount)
    private val interpreter = Interpreter(model, options(threads, delegate))

    init {
        try {
            check("input", interpreter.getInputTensor(0), spec.input.byteCount)
            check("output", interpreter.getOutputTensor(0), spec.output.byteCount)
        } catch (failure: IllegalArgumentException) {
            interpreter.close()
            throw failure
        }
    }

    override fun run() {
        toStart(input)
        toStart(output)
        interpreter.run(input, output)
    }

    override fun close() {
        // The delegate must outlive the interpreter that runs on it.
        interpreter.close()
        delegate?.close()
    }

    private fun check(name: String, tensor: Tensor, bytes: Int) = require(tensor.numBytes() == bytes) {
        "The file's $name is ${tensor.shape().contentToString()} of ${tensor.dataType()}, and not what its JSON says."
    }

    /** `ByteBuffer.rewind` itself came with API 28. */
    private fun toStart(buffer: Buffer) {
        buffer.rewind()
    }

    private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

    private fun options(threads: Int, delegate: Delegate?): Interpreter.Options {
        val options = Interpreter.Options().setNumThreads(threads)
        return if (delegate == null) options.setUseXNNPACK(true) else options.addDelegate(delegate)
    }
}
