package org.kerassegformer.demo.engine

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.withTimeout
import java.util.concurrent.Executors

/** A call did not return within [limitMillis]. */
internal class CallTimeoutException(val limitMillis: Long) : Exception("No response within $limitMillis ms.")

/**
 * A thread for objects that are confined to one thread and whose calls may hang, such as delegates: one for GPUs must be
 * created, run and closed on the same thread. The threads of a coroutine dispatcher are shared, and a driver that hangs
 * would take them away from the rest of the app.
 *
 * A thread that hangs in native code cannot be stopped: it is abandoned, and cleans up if it ever returns.
 */
internal class WorkerThread(name: String) {
    private val executor = Executors.newSingleThreadExecutor { task -> Thread(task, name).apply { isDaemon = true } }

    /**
     * Runs [block] on the thread and waits for its result. A caller that is cancelled no longer waits.
     *
     * @param onLate receives, on the thread, the result of a [block] that returns when no one waits any longer
     * @throws CallTimeoutException [block] took longer than [limitMillis]
     * @throws Throwable whatever [block] throws
     */
    suspend fun <T> call(limitMillis: Long, onLate: (T) -> Unit = {}, block: () -> T): T {
        val result = CompletableDeferred<T>()
        executor.execute {
            // Also catches errors: the caller handles OutOfMemoryError.
            runCatching(block)
                .onSuccess { if (!result.complete(it)) onLate(it) }
                .onFailure { result.completeExceptionally(it) }
        }
        return try {
            withTimeout(limitMillis) { result.await() }
        } catch (end: CancellationException) {
            val failure = if (end is TimeoutCancellationException) CallTimeoutException(limitMillis) else end
            if (result.completeExceptionally(failure)) throw failure
            // It has returned at the same time.
            result.await()
        }
    }

    /** Runs [last] when the thread is idle and then ends it; does not wait. */
    fun end(last: () -> Unit) {
        executor.execute(last)
        executor.shutdown()
    }
}
