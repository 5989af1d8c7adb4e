package org.kerassegformer.demo.engine

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.kerassegformer.core.Attempt
import org.kerassegformer.core.Outcome
import org.kerassegformer.core.Processor
import java.io.File

class TryNotesTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file = fakeModel().set.files.first()

    /** Notes as a new process finds them. */
    private fun restarted() = tryNotes(File(folder.root, "attempts.json"), "phone")

    @Test
    fun `a try that the user cut short is no crash`() {
        restarted().begin(Processor.GPU, file)
        val notes = restarted()
        assertTrue(notes.endedTheApp(Processor.GPU, file))
        notes.judgeLast { true }
        assertFalse(notes.endedTheApp(Processor.GPU, file))
        assertFalse(restarted().endedTheApp(Processor.GPU, file))
    }

    @Test
    fun `a crash stays one, however later processes end`() {
        restarted().begin(Processor.GPU, file)
        restarted().judgeLast { false }
        val notes = restarted()
        notes.judgeLast { true }
        assertTrue(notes.endedTheApp(Processor.GPU, file))
    }

    @Test
    fun `what has ended is not judged`() {
        val finding = Attempt(Outcome.REFUSED, "It lies.")
        restarted().apply { begin(Processor.GPU, file) }.end(Processor.GPU, file, finding)
        val notes = restarted()
        notes.judgeLast { throw AssertionError("Nobody is to be asked.") }
        assertEquals(finding, notes.memory.of(Processor.GPU, file.spec.sha256))
    }
}
