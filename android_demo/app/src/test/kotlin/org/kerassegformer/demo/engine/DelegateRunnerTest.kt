package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

/** What is closed, and in which order, when a delegate fails. */
class DelegateRunnerTest {
    private val closed = mutableListOf<String>()
    private val delegate = AutoCloseable { closed += "delegate" }

    /** As [DelegateRunner]: its interpreter goes before its delegate. */
    private val runner = AutoCloseable {
        closed += "interpreter"
        delegate.close()
    }

    @Test
    fun `a delegate that reports an error is closed after the interpreter on it`() {
        assertThrows(IllegalStateException::class.java) { runnerOn(delegate, { runner }) { error("NNAPI fails.") } }
        assertEquals(listOf("interpreter", "delegate"), closed)
    }

    @Test
    fun `a delegate without an interpreter is closed alone`() {
        assertThrows(IllegalStateException::class.java) { runnerOn<AutoCloseable>(delegate, { error("no memory") }) {} }
        assertEquals(listOf("delegate"), closed)
    }

    @Test
    fun `an error while closing does not hide the first one`() {
        val broken = AutoCloseable { error("cannot close") }
        val failure =
            assertThrows(IllegalStateException::class.java) { runnerOn(delegate, { broken }) { error("NNAPI fails.") } }
        assertEquals("NNAPI fails.", failure.message)
        assertEquals(listOf("cannot close"), failure.suppressed.map { it.message })
    }

    @Test
    fun `a delegate in use stays open`() {
        assertEquals(runner, runnerOn(delegate, { runner }) {})
        assertEquals(emptyList<String>(), closed)
    }
}
