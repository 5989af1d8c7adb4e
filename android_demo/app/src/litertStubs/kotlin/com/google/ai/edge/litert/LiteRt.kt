/*
 * The part of LiteRT 2's Kotlin API that src/litert uses, for the build without Google's Maven repository, where its
 * artefacts are: signatures of github.com/google-ai-edge/LiteRT, litert/kotlin, with a fake behind them. Only compiled
 * for tests on the JVM; Gradle takes the real library.
 */
package com.google.ai.edge.litert

import android.content.Context
import android.content.res.AssetManager

public enum class Accelerator { NONE, CPU, GPU, NPU }

public interface NpuAcceleratorProvider {
    public fun isDeviceSupported(): Boolean
}

public class BuiltinNpuAcceleratorProvider(@Suppress("unused") private val context: Context) : NpuAcceleratorProvider {
    override fun isDeviceSupported(): Boolean = FakeLiteRt.hasNpu
}

public class Environment private constructor() : AutoCloseable {
    init {
        FakeLiteRt.open++
    }

    override fun close() {
        FakeLiteRt.open--
    }

    public companion object {
        @Suppress("UNUSED_PARAMETER")
        public fun create(context: Context): Environment = Environment()

        @Suppress("UNUSED_PARAMETER")
        public fun create(context: Context, npuAcceleratorProvider: NpuAcceleratorProvider): Environment = Environment()
    }
}

public class TensorBuffer internal constructor(elements: Int) : AutoCloseable {
    internal var bytes = ByteArray(elements)
    internal var floats = FloatArray(elements)
    internal var integers = IntArray(elements)
    internal var hasBytes = false

    init {
        FakeLiteRt.open++
    }

    public fun writeInt8(data: ByteArray) {
        bytes = data.copyOf()
        hasBytes = true
    }

    public fun writeFloat(data: FloatArray) {
        floats = data.copyOf()
    }

    public fun readInt8(): ByteArray = bytes

    public fun readInt(): IntArray = integers

    public fun readFloat(): FloatArray = floats

    override fun close() {
        FakeLiteRt.open--
    }
}

public class CompiledModel private constructor(private val options: Options) : AutoCloseable {
    public data class CpuOptions(public val numThreads: Int? = null)

    public class Options(internal vararg val accelerators: Accelerator) {
        public var cpuOptions: CpuOptions? = null
    }

    init {
        FakeLiteRt.open++
    }

    public fun createInputBuffers(): List<TensorBuffer> = listOf(TensorBuffer(FakeLiteRt.inputElements))

    public fun createOutputBuffers(): List<TensorBuffer> {
        check(FakeLiteRt.hasMemory) { "There is not enough memory." }
        return listOf(TensorBuffer(FakeLiteRt.outputElements))
    }

    public fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>): Unit =
        FakeLiteRt.run(options, inputs[0], outputs[0])

    override fun close() {
        FakeLiteRt.open--
    }

    public companion object {
        @Suppress("UNUSED_PARAMETER")
        public fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options,
            optionalEnv: Environment,
        ): CompiledModel = CompiledModel(options)

        @Suppress("UNUSED_PARAMETER")
        public fun create(filePath: String, options: Options, optionalEnv: Environment): CompiledModel =
            CompiledModel(options)
    }
}

/** What the fake does: the labels are the red channel of the input. */
internal object FakeLiteRt {
    var hasNpu = true
    var hasMemory = true
    var inputElements = 0
    var outputElements = 0
    var open = 0
    val runs = ArrayList<Pair<List<Accelerator>, Int?>>()

    fun run(options: CompiledModel.Options, input: TensorBuffer, output: TensorBuffer) {
        runs += options.accelerators.toList() to options.cpuOptions?.numThreads
        val red = IntArray(input.bytes.size / 3) {
            if (input.hasBytes) input.bytes[3 * it].toInt() and 0xFF else input.floats[3 * it].toInt()
        }
        output.integers = red
        output.floats = FloatArray(red.size) { red[it].toFloat() }
    }
}
