package org.kerassegformer.demo.engine

import org.kerassegformer.core.ProcessorChoice

/**
 * How to run a model.
 *
 * @property choice AUTO tries GPU, NNAPI and CPU in this order; any other tries that one, and the CPU if it is refused
 * @property threads threads of the CPU, 1 or more
 */
internal data class EngineSettings(
    val choice: ProcessorChoice = ProcessorChoice.AUTO,
    val threads: Int = defaultThreads(),
) {
    init {
        require(threads >= 1) { "The number of threads must be 1 or more, but is $threads." }
    }

    internal companion object {
        private const val MOST_USEFUL_THREADS = 4

        /** Half of the cores, 1 to 4: the big ones of a usual phone. */
        fun defaultThreads(): Int = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, MOST_USEFUL_THREADS)
    }
}
