package org.kerassegformer.demo.engine

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.kerassegformer.core.Candidate
import org.kerassegformer.core.ProcessorChoice

/**
 * Tries accelerators beside the CPU, which processes frames meanwhile: compiling for a GPU may take seconds.
 *
 * A search that is cancelled ends after the attempt in progress, and the next one waits for that.
 *
 * @param scope where searches run
 * @param report receives the progress; owns an accepted model
 */
internal class AcceleratorSearch(
    private val trial: ProcessorTrial,
    private val scope: CoroutineScope,
    private val report: (Command.Tried) -> Unit,
) {
    private val oneAtATime = Mutex()
    private var current = 0
    private var job: Job? = null

    /** Returns true if [progress] belongs to the latest search, and that was not cancelled. */
    fun isCurrent(progress: Command.Tried): Boolean = progress.search == current

    /**
     * Tries [candidates] in turn until one may be used.
     *
     * @param rejected the processors that are not used so far
     */
    fun start(command: Command.Start, candidates: List<Candidate>, rejected: List<Rejection>) {
        cancel()
        val number = current
        if (candidates.isEmpty()) return
        job = scope.launch { oneAtATime.withLock { search(number, command, candidates, rejected) } }
    }

    /** Cancels the search, if any. */
    fun cancel() {
        current++
        job?.cancel()
        job = null
    }

    private suspend fun search(
        number: Int,
        command: Command.Start,
        candidates: List<Candidate>,
        rejectedBefore: List<Rejection>,
    ) {
        val (model, settings) = command
        val rejected = rejectedBefore.toMutableList()
        for ((index, candidate) in candidates.withIndex()) {
            currentCoroutineContext().ensureActive()
            val mustBeatCpu = settings.choice == ProcessorChoice.AUTO
            when (val result = trial.attempt(model, candidate, settings.threads, mustBeatCpu, trustsPasses = true)) {
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
