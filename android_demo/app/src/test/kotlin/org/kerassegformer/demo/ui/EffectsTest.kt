package org.kerassegformer.demo.ui

import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import org.junit.Assert.assertEquals
import org.junit.Test

internal class EffectsTest {
    private val heard = ArrayList<String>()
    private val effects = Effects<String>()

    private fun TestScope.receive(name: String): Job = launch { effects.collect { heard += "$name: $it" } }

    @Test
    fun `effects wait for the next receiver and are delivered once, in order`() = runTest {
        val first = receive("first")
        effects.send("1")
        testScheduler.runCurrent()
        first.cancel()
        testScheduler.runCurrent()
        effects.send("2")
        effects.send("3")
        assertEquals(listOf("first: 1"), heard)
        for (name in listOf("second", "third")) {
            val next = receive(name)
            testScheduler.runCurrent()
            next.cancel()
        }
        assertEquals(listOf("first: 1", "second: 2", "second: 3"), heard)
    }

    @Test
    fun `a receiver that leaves while it handles an effect gets no more`() = runTest {
        effects.send("1")
        effects.send("2")
        lateinit var leaving: Job
        leaving = launch(start = CoroutineStart.LAZY) {
            effects.collect {
                heard += "first: $it"
                leaving.cancel()
            }
        }
        leaving.join()
        assertEquals(listOf("first: 1"), heard)
        val next = receive("second")
        testScheduler.runCurrent()
        next.cancel()
        assertEquals(listOf("first: 1", "second: 2"), heard)
    }

    @Test
    fun `an effect on its way to a receiver that leaves goes to the next`() = runTest {
        val leaving = receive("first")
        testScheduler.runCurrent()
        effects.send("1")
        leaving.cancel()
        testScheduler.runCurrent()
        assertEquals(emptyList<String>(), heard)
        val next = receive("second")
        testScheduler.runCurrent()
        next.cancel()
        assertEquals(listOf("second: 1"), heard)
    }
}
