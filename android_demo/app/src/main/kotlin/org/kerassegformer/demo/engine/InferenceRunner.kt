package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import java.nio.ByteBuffer

/** A model ready to run on one processor, with its buffers. Made, run and closed on one and the same thread. */
internal interface InferenceRunner : AutoCloseable {
    /** Direct buffer in native byte order, of `spec.input.byteCount` bytes. */
    val input: ByteBuffer

    /** Direct buffer in native byte order, of `spec.output.byteCount` bytes; filled by [run]. */
    val output: ByteBuffer

    /** Computes [output] from [input]. Throws whatever the runtime does. */
    fun run()

    override fun close()
}

/** Makes [InferenceRunner]s: with TF Lite in the app, with other things in tests. */
internal interface InferenceRunnerFactory {
    /**
     * Loads [file] for [processor]. May take seconds, hang, or end the process: drivers do all of these.
     *
     * @param threads threads of the CPU
     * @throws Exception the file or the delegate cannot be used
     */
    fun create(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): InferenceRunner

    /** Deletes programs that were compiled for [file]: after a failure they may be what is wrong. */
    fun discardPrograms(file: ModelFile)
}
