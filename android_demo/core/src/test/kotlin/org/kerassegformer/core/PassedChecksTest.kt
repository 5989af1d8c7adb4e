package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class PassedChecksTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file get() = folder.root.resolve("files/passed_checks.json")
    private val gpu = Candidate(Processor.GPU, TestSpecs.file(Precision.FLOAT16))
    private val cpu = TestSpecs.file(Precision.INT8)
    private val passed = PassedCheck(0.9964, nanos = 24_000_000)

    private var process = 100
    private var millis = 1_800_000_000_000
    private var driver = "renderer 1"

    /** The checks as a new process reads them. */
    private fun checks(device: String = "phone/1") =
        PassedChecks(file, { device }, ++process, { if (it == Processor.GPU) driver else "" }) { millis }

    @Test
    fun nothingIsReadBeforeTheFirstUse() {
        file.parentFile.mkdirs()
        file.writeText("{\"device\": \"phone/1\"}")
        val checks = PassedChecks(file, { error("asked") }, process, { error("asked") })
        assertThrows(IllegalStateException::class.java) { checks.find(gpu, cpu) }
    }

    @Test
    fun aPassIsKept() {
        checks().remember(gpu, cpu, passed)
        assertEquals(passed, checks().find(gpu, cpu))
    }

    @Test
    fun anotherFingerprintHasNone() {
        checks().remember(gpu, cpu, passed)
        assertNull("processor", checks().find(Candidate(Processor.NNAPI, gpu.file), cpu))
        assertNull("file", checks().find(Candidate(Processor.GPU, cpu), cpu))
        assertNull("reference", checks().find(gpu, gpu.file))
        assertNull("device", checks("phone/2").find(gpu, cpu))
        driver = "renderer 2"
        assertNull("driver", checks().find(gpu, cpu))
    }

    @Test
    fun aFailureForgetsIt() {
        checks().run {
            remember(gpu, cpu, passed)
            forget(gpu)
            assertNull(find(gpu, cpu))
        }
        assertNull(checks().find(gpu, cpu))
        checks().remember(gpu, cpu, passed)
        checks().clear()
        assertNull(checks().find(gpu, cpu))
    }

    @Test
    fun onlyAnEndThatIsNotItsFaultKeepsIt() {
        for (cause in ExitCause.entries) {
            checks().run {
                remember(gpu, cpu, passed)
                startUse(gpu)
            }
            val user = process
            checks().run {
                resolveInterrupted { ended ->
                    assertEquals(user, ended)
                    cause
                }
                assertEquals("$cause", passed.takeIf { cause == ExitCause.BENIGN }, find(gpu, cpu))
            }
            assertEquals("on disk, after $cause", cause == ExitCause.BENIGN, checks().find(gpu, cpu) != null)
        }
    }

    @Test
    fun anEndAfterItsUseIsNotItsFault() {
        checks().run {
            startUse(gpu)
            remember(gpu, cpu, passed)
            startUse(gpu)
            endUse(gpu)
            endUse(gpu)
        }
        checks().run {
            resolveInterrupted { throw AssertionError("must not be called") }
            assertEquals(passed, find(gpu, cpu))
        }
    }

    @Test
    fun passesExpire() {
        checks().remember(gpu, cpu, passed)
        millis += CrashLog.KEPT_DAYS * DAY
        assertEquals(passed, checks().find(gpu, cpu))
        millis += DAY
        assertNull(checks().find(gpu, cpu))
        millis = 0
        assertNull("a clock that was wrong", checks().find(gpu, cpu))
    }

    @Test
    fun aBrokenFileCountsAsEmptyAndIsReplaced() {
        checks().remember(gpu, cpu, passed)
        val good = file.readText()
        for (text in listOf("", "{", "[]", good.replace("0.9964", "1.5"), good.replace("24000000", "0"), good.take(60))) {
            file.writeText(text)
            assertNull(text, checks().find(gpu, cpu))
        }
        checks().remember(gpu, cpu, passed)
        assertEquals(passed, checks().find(gpu, cpu))
    }

    @Test
    fun whatCannotBeWrittenIsNotTrusted() {
        checks().remember(gpu, cpu, passed)
        val checks = checks().also { it.find(gpu, cpu) }
        folder.root.resolve("files/passed_checks.json.new").mkdirs()
        checks.startUse(gpu)
        assertFalse(file.exists())
        assertNull(checks().find(gpu, cpu))
    }

    private companion object {
        const val DAY = 24 * 60 * 60 * 1000L
    }
}
