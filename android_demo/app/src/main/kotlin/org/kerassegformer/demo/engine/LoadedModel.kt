package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelReader
import org.kerassegformer.core.ModelFile
import java.nio.ByteBuffer

/**
 * An [InferenceRunner] on its own thread, with timeouts. Not thread-safe.
 */
internal class LoadedModel(
    val file: ModelFile,
    private val runner: InferenceRunner,
    private val thread: WorkerThread,
    private val limits: TimeLimits,
) : AutoCloseable {
    private val reader = LabelReader(file.spec.output, runner.output)
    private var closed = false

    /** Input buffer, to be filled before [run]. */
    val input: ByteBuffer get() = runner.input

    /**
     * Runs the model on [input].
     *
     * @return duration in nanoseconds
     * @throws CallTimeoutException it took longer than the limit; the model is then unusable and must be closed
     * @throws Throwable any exception of the runtime
     */
    fun run(): Long {
        val start = System.nanoTime()
        thread.call(limits.runMillis) { runner.run() }
        return System.nanoTime() - start
    }

    /** Reads the labels of the last [run] into [map]. */
    fun read(map: LabelMap) = reader.read(map)

    /** Creates a map of the size of the output. */
    fun newMap(): LabelMap = LabelMap(file.spec.output.width, file.spec.output.height)

    /** Closes the runner as soon as its thread is idle. */
    override fun close() {
        if (closed) return
        closed = true
        thread.end(runner::close)
    }
}
