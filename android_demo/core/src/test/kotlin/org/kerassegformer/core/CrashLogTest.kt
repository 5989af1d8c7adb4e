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

    private var process = 100
    private var millis = 1_800_000_000_000

    /** The log as a new process reads it. */
    private fun log(device: String = "phone/1") = CrashLog(file, { device }, ++process) { millis }

    @Test
    fun nothingIsReadBeforeTheFirstUse() {
        file.parentFile.mkdirs()
        file.writeText("{\"device\": \"phone/1\"}")
        val log = CrashLog(file, { error("asked") }, process)
        assertThrows(IllegalStateException::class.java) { log.attempt(Processor.GPU, model) }
    }

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
        restarted.resolveInterrupted { ExitCause.BENIGN }
        assertFalse(restarted.hasCrashed(Processor.GPU, model))
        assertFalse(log().hasCrashed(Processor.GPU, model))
    }

    @Test
    fun aCrashStaysOneHoweverLaterProcessesEnd() {
        log().begin(Processor.GPU, model)
        log().resolveInterrupted { ExitCause.CRASH }
        assertEquals(Outcome.CRASHED, log().attempt(Processor.GPU, model)?.outcome)
        log().resolveInterrupted { ExitCause.BENIGN }
        assertTrue(log().hasCrashed(Processor.GPU, model))
    }

    @Test
    fun finishedAttemptsAreNotResolved() {
        log().apply { begin(Processor.GPU, model) }.end(Processor.GPU, model, rejected)
        val restarted = log()
        restarted.resolveInterrupted { throw AssertionError("must not be called") }
        assertEquals(rejected, restarted.attempt(Processor.GPU, model))
    }

    @Test
    fun twoUnexplainedEndsInARowBlameTheDriver() {
        log().begin(Processor.CPU, model)
        log().run {
            resolveInterrupted { ExitCause.UNKNOWN }
            assertFalse(hasCrashed(Processor.CPU, model))
            assertNull(attempt(Processor.CPU, model))
            begin(Processor.CPU, model)
        }
        log().run {
            resolveInterrupted { ExitCause.UNKNOWN }
            assertTrue(hasCrashed(Processor.CPU, model))
        }
        assertTrue(log().hasCrashed(Processor.CPU, model))
    }

    @Test
    fun aSuccessBetweenTwoUnexplainedEndsForgetsTheFirst() {
        log().begin(Processor.CPU, model)
        log().run {
            resolveInterrupted { ExitCause.UNKNOWN }
            logCpuAttempt(model) {}
            begin(Processor.CPU, model)
        }
        log().run {
            resolveInterrupted { ExitCause.UNKNOWN }
            assertFalse(hasCrashed(Processor.CPU, model))
        }
    }

    @Test
    fun entriesExpire() {
        log().run {
            begin(Processor.GPU, model)
            end(Processor.GPU, model, rejected)
        }
        millis += (CrashLog.KEPT_DAYS - 1) * DAY
        assertEquals(rejected, log().attempt(Processor.GPU, model))
        millis += 2 * DAY
        assertNull(log().attempt(Processor.GPU, model))
        millis = 0
        assertNull("a clock that was wrong", log().attempt(Processor.GPU, model))
    }

    @Test
    fun theCauseIsThatOfTheProcessThatMadeTheAttempt() {
        log().begin(Processor.GPU, model)
        val asked = mutableListOf<Int>()
        log().resolveInterrupted { asked += it; ExitCause.CRASH }
        assertEquals(setOf(101), asked.toSet())
    }

    @Test
    fun anAttemptInProgressIsNotACrash() {
        val log = log()
        log.begin(Processor.GPU, model)
        assertFalse(log.hasCrashed(Processor.GPU, model))
    }

    private companion object {
        const val DAY = 24 * 60 * 60 * 1000L
    }
}
