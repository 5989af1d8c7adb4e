package org.kerassegformer.demo.engine

import org.kerassegformer.core.Candidate
import org.kerassegformer.core.ProcessorChoice
import java.util.concurrent.Executors

/**
 * Tries accelerators on a thread of its own, while the CPU processes frames: compiling for a GPU may take seconds.
 *
 * A search that is cancelled ends after the attempt in progress.
 *
 * @param report receives the progress on that thread; owns an accepted model
 */
internal class AcceleratorSearch(private val trial: ProcessorTrial, private val report: (Command.Tried) -> Unit) {
    private val executor =
        Executors.newSingleThreadExecutor { task -> Thread(task, "accelerator search").apply { isDaemon = true } }

    @Volatile
    private var current = 0

    /** Returns true if [progress] belongs to the latest search, and that was not cancelled. */
    fun isCurrent(progress: Command.Tried): Boolean = progress.search == current

    /**
     * Tries [candidates] in turn until one may be used.
     *
     * @param rejected the processors that are not used so far
     */
    fun start(command: Command.Start, candidates: List<Candidate>, rejected: List<Rejection>) {
        val number = ++current
        if (candidates.isNotEmpty()) executor.execute { search(number, command, candidates, rejected) }
    }

    /** Cancels the search, if any. */
    fun cancel() {
        current++
    }

    /** Cancels the search and ends the thread as soon as it is idle. */
    fun end() {
        cancel()
        executor.shutdown()
    }

    private fun search(
        number: Int,
        command: Command.Start,
        candidates: List<Candidate>,
        rejectedBefore: List<Rejection>,
    ) {
        val (model, settings) = command
        val rejected = rejectedBefore.toMutableList()
        for ((index, candidate) in candidates.withIndex()) {
            if (number != current) return
            val mustBeatCpu = settings.choice == ProcessorChoice.AUTO
            when (val result = trial.attempt(model, candidate, settings.threads, mustBeatCpu)) {
                is TrialResult.Accepted ->
                    return report(Command.Tried(number, rejected, accepted = AcceptedCandidate(candidate, result)))
                is TrialResult.Rejected -> {
                    rejected += Rejection(candidate.processor, result.reason)
                    report(Command.Tried(number, rejected.toList(), candidates.getOrNull(index + 1)?.processor))
                }
            }
        }
    }
}
