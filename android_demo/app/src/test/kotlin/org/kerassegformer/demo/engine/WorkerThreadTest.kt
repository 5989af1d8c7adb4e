package org.kerassegformer.demo.engine

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class WorkerThreadTest {
    private val worker = WorkerThread("worker of a test")

    @Test
    fun `all calls run on one thread, which ends`() = runBlocking(Dispatchers.Default) {
        val threads = List(20) { async { worker.call(PATIENCE_MILLIS) { Thread.currentThread() } } }.map { it.await() }
        assertEquals(1, threads.toSet().size)
        assertNotEquals(Thread.currentThread(), threads.first())
        worker.end {}
        eventually { !threads.first().isAlive }
    }

    @Test
    fun `a call that takes too long is given up, and its result is cleaned up`() {
        val hanging = HangingCall()
        val late = CompletableDeferred<Int>()
        val failure = assertThrows(CallTimeoutException::class.java) {
            runBlocking {
                worker.call<Int>(limitMillis = 20, onLate = { late.complete(it) }) {
                    hanging.hang()
                    7
                }
            }
        }
        assertEquals(20L, failure.limitMillis)
        hanging.release()
        assertEquals(7, runBlocking { late.await() })
        worker.end {}
    }

    @Test
    fun `a caller that is cancelled does not wait, and the result is cleaned up`() = runBlocking {
        val hanging = HangingCall()
        val late = CompletableDeferred<Int>()
        val calling = launch(Dispatchers.Default) {
            worker.call<Int>(PATIENCE_MILLIS, onLate = { late.complete(it) }) {
                hanging.hang()
                7
            }
        }
        hanging.awaitStart()
        calling.cancelAndJoin()
        hanging.release()
        assertEquals(7, late.await())
        worker.end {}
    }

    @Test
    fun `failures and errors reach the caller`() {
        for (failure in listOf(IllegalStateException("broken"), OutOfMemoryError("full"))) {
            val caught = assertThrows(failure.javaClass) {
                runBlocking { worker.call<Unit>(PATIENCE_MILLIS) { throw failure } }
            }
            assertEquals(failure.message, caught.message)
        }
        worker.end {}
    }

    private companion object {
        const val PATIENCE_MILLIS = PATIENCE_SECONDS * 1_000
    }
}
