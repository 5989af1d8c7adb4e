package org.kerassegformer.demo.engine

import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.BuiltinNpuAcceleratorProvider
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.TensorBuffer
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.core.TensorType
import org.kerassegformer.demo.models.ModelLocation
import java.nio.ByteBuffer

/**
 * Creates models of LiteRT 2: GPUs through its `CompiledModel`, and NPUs of Qualcomm, MediaTek and Google through the
 * libraries that are packed with the app. Takes the place of NNAPI, which Android 15 deprecates. Found by
 * [liteRtRunnerFactory], by its name.
 */
internal class LiteRtRunnerFactory(private val context: Context) : InferenceRunnerFactory {
    override fun create(
        file: ModelFile,
        location: ModelLocation,
        processor: Processor,
        threads: Int,
    ): InferenceRunner {
        val environment = when (processor) {
            Processor.NNAPI -> npu()
            else -> Environment.create(context)
        }
        var model: CompiledModel? = null
        try {
            model = compile(location, optionsFor(processor, threads), environment)
            return LiteRtRunner(model, environment, file.spec)
        } catch (failure: Throwable) {
            model?.close()
            environment.close()
            throw failure
        }
    }

    /** LiteRT manages its cache itself. */
    override fun discardPrograms(file: ModelFile): Unit = Unit

    private fun npu(): Environment {
        val libraries = BuiltinNpuAcceleratorProvider(context)
        check(libraries.isDeviceSupported()) { "LiteRT has no NPU library for this chip." }
        return Environment.create(context, libraries)
    }

    private fun optionsFor(processor: Processor, threads: Int): CompiledModel.Options = when (processor) {
        // One accelerator alone: with the CPU as a second one, unsupported operations would run there unnoticed.
        Processor.GPU -> CompiledModel.Options(Accelerator.GPU)
        Processor.NNAPI -> CompiledModel.Options(Accelerator.NPU)
        Processor.CPU -> CompiledModel.Options(Accelerator.CPU).apply {
            cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
        }
    }

    private fun compile(location: ModelLocation, options: CompiledModel.Options, environment: Environment) =
        when (location) {
            is ModelLocation.Asset -> CompiledModel.create(context.assets, location.path, options, environment)
            is ModelLocation.OnDisk -> CompiledModel.create(location.file.path, options, environment)
        }
}

/**
 * A compiled model with its buffers, and arrays for the copies that its API takes.
 *
 * @throws IllegalArgumentException the tensors differ from [spec]
 */
internal class LiteRtRunner(
    private val model: CompiledModel,
    private val environment: Environment,
    private val spec: ModelSpec,
) : InferenceRunner {
    override val runtime: RuntimeVersion? = null
    override val input: ByteBuffer = directBuffer(spec.input.byteCount)
    override val output: ByteBuffer = directBuffer(spec.output.byteCount)
    private val buffers = ArrayList<TensorBuffer>()
    private val inputs: List<TensorBuffer>
    private val outputs: List<TensorBuffer>
    private val bytes = ByteArray(if (spec.input.type == TensorType.UINT8) spec.input.byteCount else 0)
    private val floats =
        FloatArray(if (spec.input.type == TensorType.FLOAT32) spec.input.byteCount / Float.SIZE_BYTES else 0)

    init {
        try {
            inputs = model.createInputBuffers().also(buffers::addAll)
            outputs = model.createOutputBuffers().also(buffers::addAll)
            // The buffers have the sizes of the tensors; the API tells them only of tensors whose names are known.
            val isBytes = spec.input.type == TensorType.UINT8
            check("input", if (isBytes) inputs[0].readInt8().size else Float.SIZE_BYTES * inputs[0].readFloat().size, input)
            val isLogits = spec.output.kind == OutputKind.LOGITS
            val values = if (isLogits) outputs[0].readFloat().size else outputs[0].readInt().size
            check("output", Int.SIZE_BYTES * values, output)
        } catch (failure: Throwable) {
            buffers.forEach(TensorBuffer::close)
            throw failure
        }
    }

    override fun run() {
        input.clear()
        if (spec.input.type == TensorType.UINT8) {
            input.get(bytes)
            // The bytes of the tensor, whatever their sign.
            inputs[0].writeInt8(bytes)
        } else {
            input.asFloatBuffer().get(floats)
            inputs[0].writeFloat(floats)
        }
        model.run(inputs, outputs)
        output.clear()
        if (spec.output.kind == OutputKind.LOGITS) {
            output.asFloatBuffer().put(outputs[0].readFloat())
        } else {
            output.asIntBuffer().put(outputs[0].readInt())
        }
    }

    override fun close() {
        buffers.forEach(TensorBuffer::close)
        model.close()
        environment.close()
    }

    private fun check(name: String, bytes: Int, buffer: ByteBuffer) = require(bytes == buffer.capacity()) {
        "The $name tensor has $bytes bytes, unlike in the JSON file."
    }
}
