package org.kerassegformer.demo.engine

import org.kerassegformer.core.ProcessorChoice

/**
 * Settings for running a model.
 *
 * @property choice AUTO tries GPU, NNAPI and CPU in this order; any other tries that one, with the CPU as the fallback
 * @property threads number of CPU threads, at least 1
 * @property hidesUnsure true to give places with two likely classes no label, for models that return logits
 */
internal data class EngineSettings(
    val choice: ProcessorChoice = ProcessorChoice.AUTO,
    val threads: Int = defaultThreads(),
    val hidesUnsure: Boolean = true,
) {
    init {
        require(threads >= 1) { "The number of threads must be at least 1, but is $threads." }
    }

    internal companion object {
        private const val MOST_USEFUL_THREADS = 4

        /** Half of the cores, 1 to 4: typically the number of performance cores. */
        fun defaultThreads(): Int = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, MOST_USEFUL_THREADS)
    }
}
