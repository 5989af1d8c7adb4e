package org.kerassegformer.core

import java.io.IOException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class AttemptMemoryTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file get() = folder.root.resolve("files/attempts.json")
    private val sha = "ab".repeat(32)

    private fun memory(device: String = "phone/1") = AttemptMemory(file, device)

    @Test
    fun anAttemptThatNeverEndedCountsAsACrash() {
        memory().begin(Processor.GPU, sha)
        assertEquals(Outcome.CRASHED, memory().of(Processor.GPU, sha)?.outcome)
        assertNull(memory().of(Processor.NNAPI, sha))
        assertNull(memory().of(Processor.GPU, "cd".repeat(32)))
    }

    @Test
    fun successClearsTheNote() {
        memory().run {
            begin(Processor.GPU, sha)
            succeed(Processor.GPU, sha)
        }
        assertNull(memory().of(Processor.GPU, sha))
    }

    @Test
    fun failuresAreKeptWithTheirWords() {
        val attempt = Attempt(Outcome.REFUSED, "agrees in \"10 %\"\nof the labels")
        memory().run {
            begin(Processor.NNAPI, sha)
            fail(Processor.NNAPI, sha, attempt)
        }
        assertEquals(attempt, memory().of(Processor.NNAPI, sha))
    }

    @Test
    fun newDriversAndTheUserMakeItForget() {
        memory().begin(Processor.GPU, sha)
        assertNull(memory("phone/2").of(Processor.GPU, sha))
        memory().forget()
        assertNull(memory().of(Processor.GPU, sha))
    }

    @Test
    fun aBrokenFileCountsAsEmptyAndIsReplaced() {
        memory().begin(Processor.GPU, sha)
        val good = file.readText()
        val broken = listOf("", "{", "[]", "{\"device\": 3}", good.replace("CRASHED", "SANG"), good.take(40), "\u0000")
        for (text in broken) {
            file.writeText(text)
            assertNull(text, memory().of(Processor.GPU, sha))
        }
        memory().begin(Processor.GPU, sha)
        assertEquals(Outcome.CRASHED, memory().of(Processor.GPU, sha)?.outcome)
    }

    @Test
    fun aNoteThatCannotBeWrittenIsAnError() {
        folder.root.resolve("files").writeText("a file where the folder should be")
        assertThrows(IOException::class.java) { memory().begin(Processor.GPU, sha) }
    }

    @Test
    fun nothingIsLeftBesideTheFile() {
        memory().begin(Processor.GPU, sha)
        assertTrue(file.isFile)
        assertEquals(listOf(file.name), file.parentFile.list()?.toList())
    }
}
