package org.kerassegformer.demo.engine

import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation

/**
 * How long drivers may take.
 *
 * @property loadMillis to make an interpreter and its delegate: GPUs compile their programs meanwhile
 * @property runMillis for one picture
 */
internal data class TimeLimits(val loadMillis: Long = 60_000, val runMillis: Long = 20_000)

/** Loads models, each onto a thread of its own. */
internal class ModelLoader(private val runners: InferenceRunnerFactory, private val limits: TimeLimits = TimeLimits()) {
    /**
     * Loads [file].
     *
     * @param threads threads of the CPU
     * @throws HungException it took longer than the limit; should it ever end, it is closed
     * @throws Throwable whatever the runtime throws
     */
    fun load(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): LoadedModel {
        val thread = ConfinedThread("inference on $processor")
        var runner: InferenceRunner? = null
        try {
            runner = thread.call(limits.loadMillis, onLate = InferenceRunner::close) {
                runners.create(file, location, processor, threads)
            }
            return LoadedModel(file, runner, thread, limits)
        } catch (failure: Throwable) {
            thread.end { runner?.close() }
            throw failure
        }
    }

    /** As [InferenceRunnerFactory.discardPrograms]. */
    fun discardPrograms(file: ModelFile) = runners.discardPrograms(file)
}
