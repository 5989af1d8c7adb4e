package org.kerassegformer.demo.engine

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** A call did not return within [limitMillis]. */
internal class CallTimeoutException(val limitMillis: Long) : Exception("No response within $limitMillis ms.")

/**
 * A thread for objects that are confined to one thread and whose calls may hang.
 *
 * A thread that hangs in native code cannot be stopped: it is abandoned, and cleans up if it ever returns.
 */
internal class WorkerThread(name: String) {
    private val executor = Executors.newSingleThreadExecutor { task -> Thread(task, name).apply { isDaemon = true } }

    /**
     * Runs [block] on the thread and waits for its result.
     *
     * @param onLate receives, on the thread, the result of a [block] that returns after the limit
     * @throws CallTimeoutException [block] took longer than [limitMillis]
     * @throws Throwable whatever [block] throws
     */
    fun <T> call(limitMillis: Long, onLate: (T) -> Unit = {}, block: () -> T): T {
        val result = CompletableFuture<T>()
        executor.execute {
            // Also catches errors: the caller handles OutOfMemoryError.
            runCatching(block)
                .onSuccess { if (!result.complete(it)) onLate(it) }
                .onFailure { result.completeExceptionally(it) }
        }
        return try {
            result.get(limitMillis, TimeUnit.MILLISECONDS)
        } catch (_: TimeoutException) {
            val timeout = CallTimeoutException(limitMillis)
            if (result.completeExceptionally(timeout)) throw timeout
            result.await()
        } catch (failure: ExecutionException) {
            throw failure.cause ?: failure
        }
    }

    /** Runs [last] when the thread is idle and then ends it; does not wait. */
    fun end(last: () -> Unit) {
        executor.execute(last)
        executor.shutdown()
    }

    private fun <T> CompletableFuture<T>.await(): T =
        try {
            get()
        } catch (failure: ExecutionException) {
            throw failure.cause ?: failure
        }
}
