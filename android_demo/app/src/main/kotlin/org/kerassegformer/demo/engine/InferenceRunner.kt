package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import java.nio.ByteBuffer

/** A loaded model on one processor, with its buffers. Created, run and closed on the same thread. */
internal interface InferenceRunner : AutoCloseable {
    /** Direct buffer in native byte order, of `spec.input.byteCount` bytes. */
    val input: ByteBuffer

    /** Direct buffer in native byte order, of `spec.output.byteCount` bytes; filled by [run]. */
    val output: ByteBuffer

    /** Computes [output] from [input]. Throws any exception of the runtime. */
    fun run()

    override fun close()
}

/** Creates [InferenceRunner]s. Uses TF Lite in the app; tests have fakes. */
internal interface InferenceRunnerFactory {
    /**
     * Loads [file] for [processor]. Depending on the driver, this may take seconds, hang, or crash the process.
     *
     * @param threads number of CPU threads
     * @throws Exception the file or the delegate cannot be used
     */
    fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner

    /** Deletes the cached compiled programs of [file], which may be the cause of a failure. */
    fun discardPrograms(file: ModelFile)
}
