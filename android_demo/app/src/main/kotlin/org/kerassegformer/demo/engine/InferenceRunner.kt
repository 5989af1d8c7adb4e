package org.kerassegformer.demo.engine

import android.content.Context
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.demo.models.ModelLocation
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A loaded model on one processor, with its buffers. Created, run and closed on the same thread. */
internal interface InferenceRunner : AutoCloseable {
    /** Version of the TF Lite that runs it; null if unknown. */
    val runtime: RuntimeVersion?

    /** Direct buffer in native byte order, of `spec.input.byteCount` bytes. */
    val input: ByteBuffer

    /** Direct buffer in native byte order, of `spec.output.byteCount` bytes; filled by [run]. */
    val output: ByteBuffer

    /** Computes [output] from [input]. Throws any exception of the runtime. */
    fun run()

    override fun close()
}

/** Allocates an [InferenceRunner.input] or [InferenceRunner.output]. */
internal fun directBuffer(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())

/** Creates [InferenceRunner]s. Uses TF Lite in the app; tests have fakes. */
internal interface InferenceRunnerFactory {
    /**
     * Loads [file] for [processor]. Depending on the driver, this may take seconds, hang, or crash the process.
     *
     * @param threads number of CPU threads
     * @throws Throwable any exception of the runtime, and [LinkageError] if its library cannot be loaded
     */
    fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner

    /** Deletes the cached compiled programs of [file], which may be the cause of a failure. */
    fun discardPrograms(file: ModelFile)
}

/** Returns what runs models in this build of the app: LiteRT 2 if it is packed, otherwise TF Lite. */
internal fun runnerFactory(context: Context): InferenceRunnerFactory =
    liteRtRunnerFactory(context) ?: TfLiteRunnerFactory.of(context)

/** True if this build runs models with LiteRT 2. */
internal val isLiteRtPacked: Boolean by lazy { liteRtClass() != null }

/** The factory of src/litert, which only the flavour `litert` compiles; null in the others. */
internal fun liteRtRunnerFactory(context: Context): InferenceRunnerFactory? =
    liteRtClass()?.getDeclaredConstructor(Context::class.java)?.newInstance(context) as InferenceRunnerFactory?

private fun liteRtClass(): Class<*>? = try {
    Class.forName("org.kerassegformer.demo.engine.LiteRtRunnerFactory")
} catch (_: ClassNotFoundException) {
    null
}
