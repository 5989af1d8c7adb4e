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
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelCreateFromFile
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteModelDelete
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorByteSize
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyFromBuffer
import org.bytedeco.tensorflowlite.global.tensorflowlite.TfLiteTensorCopyToBuffer
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** TF Lite on the host's CPU, for any processor: slow, but correct. */
internal class HostRunners(private val assets: File = File("src/main/assets")) : InferenceRunnerFactory {
    override fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner =
        HostRunner(fileOf(location), file.spec, threads)

    override fun discardPrograms(file: ModelFile) = Unit

    private fun fileOf(location: ModelLocation): File = when (location) {
        is ModelLocation.Asset -> File(assets, location.path)
        is ModelLocation.OnDisk -> location.file
    }
}

private class HostRunner(file: File, spec: ModelSpec, threads: Int) : InferenceRunner {
    private val model: TfLiteModel =
        requireNotNull(TfLiteModelCreateFromFile(file.path)) { "TF Lite refuses ${file.name}." }
    private val interpreter: TfLiteInterpreter = interpreter(threads)
    private val inputTensor: TfLiteTensor = TfLiteInterpreterGetInputTensor(interpreter, 0)
    private val outputTensor: TfLiteTensor = TfLiteInterpreterGetOutputTensor(interpreter, 0)

    override val input: ByteBuffer = direct(spec.input.byteCount)
    override val output: ByteBuffer = direct(spec.output.byteCount)

    init {
        require(TfLiteTensorByteSize(inputTensor) == input.capacity().toLong()) { "The input has another size." }
        require(TfLiteTensorByteSize(outputTensor) == output.capacity().toLong()) { "The output has another size." }
    }

    override fun run() {
        done("input", TfLiteTensorCopyFromBuffer(inputTensor, BytePointer(input), input.capacity().toLong()))
        done("network", TfLiteInterpreterInvoke(interpreter))
        done("output", TfLiteTensorCopyToBuffer(outputTensor, BytePointer(output), output.capacity().toLong()))
    }

    override fun close() {
        TfLiteInterpreterDelete(interpreter)
        TfLiteModelDelete(model)
    }

    private fun interpreter(threads: Int): TfLiteInterpreter {
        val options = TfLiteInterpreterOptionsCreate()
        TfLiteInterpreterOptionsSetNumThreads(options, threads)
        val made = TfLiteInterpreterCreate(model, options)
        TfLiteInterpreterOptionsDelete(options)
        return requireNotNull(made) { "TF Lite cannot run the file." }.also {
            done("tensors", TfLiteInterpreterAllocateTensors(it))
        }
    }

    private fun done(what: String, status: Int) = check(status == 0) { "TF Lite fails with the $what: $status." }

    private fun direct(bytes: Int) = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
}
