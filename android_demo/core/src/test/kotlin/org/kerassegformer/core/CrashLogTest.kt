package org.kerassegformer.core

import java.io.IOException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class CrashLogTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file get() = folder.root.resolve("files/crash_log.json")
    private val model = TestSpecs.file(Precision.FLOAT16)
    private val other = TestSpecs.file(Precision.INT8)
    private val rejected = Attempt(Outcome.REJECTED, "\"10%\" of the labels\nmatch")

    /** The log as a new process reads it. */
    private fun log(device: String = "phone/1") = CrashLog(file, device)

    @Test
    fun anUnfinishedAttemptCountsAsACrash() {
        log().begin(Processor.GPU, model)
        assertTrue(log().hasCrashed(Processor.GPU, model))
        assertFalse(log().hasCrashed(Processor.NNAPI, model))
        assertFalse(log().hasCrashed(Processor.GPU, other))
    }

    @Test
    fun successRemovesTheEntry() {
        log().run {
            begin(Processor.GPU, model)
            end(Processor.GPU, model, null)
        }
        assertNull(log().attempt(Processor.GPU, model))
    }

    @Test
    fun failuresAreKept() {
        log().run {
            begin(Processor.NNAPI, model)
            end(Processor.NNAPI, model, rejected)
        }
        assertEquals(rejected, log().attempt(Processor.NNAPI, model))
        assertFalse(log().hasCrashed(Processor.NNAPI, model))
    }

    @Test
    fun newDriversAndTheUserClearTheLog() {
        log().begin(Processor.GPU, model)
        assertNull(log("phone/2").attempt(Processor.GPU, model))
        log().clear()
        assertNull(log().attempt(Processor.GPU, model))
    }

    @Test
    fun aBrokenFileCountsAsEmptyAndIsReplaced() {
        log().begin(Processor.GPU, model)
        val good = file.readText()
        val broken = listOf("", "{", "[]", "{\"device\": 3}", good.replace("RUNNING", "SANG"), good.take(40), "\u0000")
        for (text in broken) {
            file.writeText(text)
            assertNull(text, log().attempt(Processor.GPU, model))
        }
        log().begin(Processor.GPU, model)
        assertTrue(log().hasCrashed(Processor.GPU, model))
    }

    @Test
    fun anEntryThatCannotBeWrittenIsAnErrorAndNotKept() {
        folder.root.resolve("files").writeText("a file in place of the folder")
        val log = log()
        assertThrows(IOException::class.java) { log.begin(Processor.GPU, model) }
        assertNull(log.attempt(Processor.GPU, model))
    }

    @Test
    fun theCpuRunsEvenIfTheLogCannotBeWritten() {
        folder.root.resolve("files").writeText("a file in place of the folder")
        assertEquals("done", log().logCpuAttempt(model) { "done" })
    }

    @Test
    fun anExceptionOnTheCpuIsNotACrash() {
        val log = log()
        assertThrows(IllegalStateException::class.java) {
            log.logCpuAttempt(model) {
                assertTrue(log().hasCrashed(Processor.CPU, model))
                error("failed")
            }
        }
        assertFalse(log().hasCrashed(Processor.CPU, model))
    }

    @Test
    fun nothingIsLeftBesideTheFile() {
        log().begin(Processor.GPU, model)
        assertTrue(file.isFile)
        assertEquals(listOf(file.name), file.parentFile.list()?.toList())
    }

    @Test
    fun anAttemptThatTheUserInterruptedIsNotACrash() {
        log().begin(Processor.GPU, model)
        val restarted = log()
        assertTrue(restarted.hasCrashed(Processor.GPU, model))
        restarted.resolveInterrupted { true }
        assertFalse(restarted.hasCrashed(Processor.GPU, model))
        assertFalse(log().hasCrashed(Processor.GPU, model))
    }

    @Test
    fun aCrashStaysOneHoweverLaterProcessesEnd() {
        log().begin(Processor.GPU, model)
        log().resolveInterrupted { false }
        assertEquals(Outcome.CRASHED, log().attempt(Processor.GPU, model)?.outcome)
        log().resolveInterrupted { true }
        assertTrue(log().hasCrashed(Processor.GPU, model))
    }

    @Test
    fun finishedAttemptsAreNotResolved() {
        log().apply { begin(Processor.GPU, model) }.end(Processor.GPU, model, rejected)
        val restarted = log()
        restarted.resolveInterrupted { throw AssertionError("must not be called") }
        assertEquals(rejected, restarted.attempt(Processor.GPU, model))
    }
}
