package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelReader
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.RuntimeVersion
import java.nio.ByteBuffer

/**
 * An [InferenceRunner] on its own thread, with timeouts. Not thread-safe.
 */
internal class LoadedModel(
    val file: ModelFile,
    private val runner: InferenceRunner,
    private val thread: WorkerThread,
    private val limits: TimeLimits,
    private val clock: () -> Long = System::nanoTime,
) : AutoCloseable {
    private val reader = LabelReader(file.spec.output, runner.output)
    private var closed = false

    /** See [InferenceRunner.runtime]. */
    val runtime: RuntimeVersion? get() = runner.runtime

    /** Input buffer, to be filled before [run]. */
    val input: ByteBuffer get() = runner.input

    /**
     * Runs the model on [input].
     *
     * @return duration in nanoseconds
     * @throws CallTimeoutException it took longer than the limit; the model is then unusable and must be closed
     * @throws Throwable any exception of the runtime
     */
    suspend fun run(): Long = thread.call(limits.runMillis) {
        val start = clock()
        runner.run()
        clock() - start
    }

    /** Reads the labels of the last [run] into [map]. */
    fun read(map: LabelMap) = reader.read(map)

    /** Like [read], but places with two likely classes get no label; without logits, all places have one. */
    fun readSure(map: LabelMap) = reader.read(map, LEAST_MARGIN, file.spec.labelSet.ignoreIndex)

    /** Creates a map of the size of the output. */
    fun newMap(): LabelMap = LabelMap(file.spec.output.width, file.spec.output.height)

    /** Closes the runner as soon as its thread is idle. */
    override fun close() {
        if (closed) return
        closed = true
        thread.end(runner::close)
    }

    private companion object {
        /** The likeliest class must be at least 1.5 times as likely as the next one: exp(0.4). */
        const val LEAST_MARGIN = .4f
    }
}

private const val TIMED_RUNS = 2

/** Runs the model on [image] and returns its labels. */
internal suspend fun LoadedModel.predict(image: SelfCheckImage): LabelMap {
    image.writeTo(input, file.spec.input)
    run()
    return newMap().also(::read)
}

/** Returns the duration of the fastest of several runs in nanoseconds; slower ones measure other load on the phone. */
internal suspend fun LoadedModel.fastestRun(): Long = (1..TIMED_RUNS).minOf { run() }
