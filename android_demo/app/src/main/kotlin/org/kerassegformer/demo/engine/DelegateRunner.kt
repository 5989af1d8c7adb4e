package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.RuntimeVersion
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.Tensor
import java.nio.Buffer
import java.nio.ByteBuffer

/**
 * Interpreter of TF Lite 2.16, the last version on Maven Central that has delegates, on the processor of [delegate].
 *
 * @param model the memory-mapped `.tflite` file; it must not change during the lifetime of the runner
 * @throws IllegalArgumentException the tensors differ from [spec], or TF Lite does not accept the file
 */
internal class DelegateRunner(
    model: ByteBuffer,
    spec: ModelSpec,
    threads: Int,
    private val delegate: Delegate,
    override val runtime: RuntimeVersion?,
) : InferenceRunner {
    override val input: ByteBuffer = directBuffer(spec.input.byteCount)
    override val output: ByteBuffer = directBuffer(spec.output.byteCount)
    private val interpreter = Interpreter(model, Interpreter.Options().setNumThreads(threads).addDelegate(delegate))

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
        delegate.close()
    }

    private fun check(name: String, tensor: Tensor, bytes: Int) = require(tensor.numBytes() == bytes) {
        "The $name tensor is ${tensor.shape().contentToString()} of ${tensor.dataType()}, unlike in the JSON file."
    }

    /** `ByteBuffer.rewind` requires API 28; `Buffer.rewind` does not. */
    private fun toStart(buffer: Buffer) {
        buffer.rewind()
    }
}

/**
 * Creates the runner that will own [delegate], and then checks the delegate. If the check fails, it closes the runner,
 * which closes its interpreter before the delegate. If there is no runner yet, it closes the delegate.
 */
internal fun <T : AutoCloseable> runnerOn(delegate: AutoCloseable, create: () -> T, check: () -> Unit): T {
    var runner: T? = null
    try {
        return create().also {
            runner = it
            check()
        }
    } catch (failure: Throwable) {
        runCatching { (runner ?: delegate).close() }.onFailure(failure::addSuppressed)
        throw failure
    }
}
