package org.kerassegformer.demo.engine

import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** No answer came within [limitMillis]. */
internal class HungException(val limitMillis: Long) : Exception("No answer within $limitMillis ms.")

/**
 * A thread for things that must be used on one thread, and that may hang there.
 *
 * A thread that hangs in native code cannot be stopped: it is left alone, and cleans up should it ever come back.
 */
internal class ConfinedThread(name: String) {
    private val executor = Executors.newSingleThreadExecutor { task -> Thread(task, name).apply { isDaemon = true } }

    /**
     * Runs [block] on the thread and waits for it.
     *
     * @param onLate gets the value of a [block] that ends after the limit, on the thread
     * @throws HungException [block] took longer than [limitMillis]
     * @throws Throwable whatever [block] throws
     */
    fun <T> call(limitMillis: Long, onLate: (T) -> Unit = {}, block: () -> T): T {
        val answer = CompletableFuture<T>()
        executor.execute {
            // Errors as well: one of memory must reach the caller, who can choose a smaller thing.
            runCatching(block)
                .onSuccess { if (!answer.complete(it)) onLate(it) }
                .onFailure { answer.completeExceptionally(it) }
        }
        return try {
            answer.get(limitMillis, TimeUnit.MILLISECONDS)
        } catch (_: TimeoutException) {
            val hung = HungException(limitMillis)
            if (answer.completeExceptionally(hung)) throw hung
            answer.await()
        } catch (failure: ExecutionException) {
            throw failure.cause ?: failure
        }
    }

    /** Ends the thread after [last], once it is idle; does not wait. */
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
