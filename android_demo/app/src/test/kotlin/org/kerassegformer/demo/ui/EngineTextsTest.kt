package org.kerassegformer.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.demo.engine.Rejection
import org.kerassegformer.demo.engine.RejectionReason
import org.kerassegformer.demo.engine.SelfCheckMeasurement
import org.kerassegformer.demo.models.ImportProblem
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
internal class EngineTextsTest {
    private val context get() = RuntimeEnvironment.getApplication()
    private val texts get() = EngineTexts(context.resources, ClassNames.of(context))
    private val close = SelfCheckMeasurement(SelfCheckResult(.97999, .98, emptyList()), 50_000_000, 40_000_000)
    private val blind = SelfCheckMeasurement(SelfCheckResult(.99, .98, listOf("Car", "Pole")), 50_000_000, 40_000_000)
    private val reasons = listOf(
        RejectionReason.NoModelFile,
        RejectionReason.AndroidVersion,
        RejectionReason.Unsupported("no OpenCL"),
        RejectionReason.CrashedBefore,
        RejectionReason.FailedBefore("no memory"),
        RejectionReason.RejectedBefore("0.61"),
        RejectionReason.InitializationFailed("unsupported GELU"),
        RejectionReason.OutOfMemory,
        RejectionReason.TimedOut(15_000),
        RejectionReason.LabelMismatch(close),
        RejectionReason.LabelMismatch(blind),
        RejectionReason.NoReference(RejectionReason.OutOfMemory),
        RejectionReason.CrashLogUnwritable("read only"),
        RejectionReason.InvalidLabel(77, 11),
        RejectionReason.SlowerThanCpu(close),
        RejectionReason.FailedInUse("device lost"),
        RejectionReason.TimedOutInUse(9_000),
    )
    private val problems = listOf(
        ImportProblem.CounterpartMissing("a.tflite", "a.json"),
        ImportProblem.UnsupportedFile("a.txt"),
        ImportProblem.Unreadable("a.json", "gone"),
        ImportProblem.BadSpec("a.json", "no label_set"),
        ImportProblem.Truncated("a.tflite", 10, 20),
        ImportProblem.Corrupt("a.tflite"),
        ImportProblem.NotTfLite("a.tflite"),
        ImportProblem.DoesNotLoad("a.tflite", "needs FlexOps"),
        ImportProblem.NotStored("a.tflite", "read only"),
        ImportProblem.NoSpace("a.tflite", 7_000_000, 1_000_000),
    )

    private fun left(reason: RejectionReason) = texts.describe(Rejection(Processor.GPU, reason))

    @Test
    fun `each reason has its own complete text`() = checkAll()

    @Test
    @Config(qualifiers = "ko")
    fun `each reason has its own complete text in Korean`() = checkAll()

    private fun checkAll() {
        val sentences = reasons.map(::left) + problems.map(texts::problem)
        assertEquals(sentences.size, sentences.toSet().size)
        for (sentence in sentences) assertFalse(sentence, "%" in sentence.replace(Regex("""[\d.]+%"""), ""))
    }

    @Test
    fun `import problems name the file`() {
        for (problem in problems) assertTrue(texts.problem(problem), problem.fileName in texts.problem(problem))
    }

    @Test
    fun `shares are rounded down`() {
        assertTrue("97.9%" in left(RejectionReason.LabelMismatch(close)))
        assertTrue("Car, Pole" in left(RejectionReason.LabelMismatch(blind)))
        assertEquals("100%", texts.percent(1.0))
        assertEquals("99.9%", texts.percent(.99999))
    }

    @Test
    @Config(qualifiers = "ko")
    fun `classes that a processor misses have their names in the language of the user`() {
        assertTrue("자동차, 기둥" in left(RejectionReason.LabelMismatch(blind)))
    }

    @Test
    fun `times are in milliseconds`() = assertTrue("50 ms, CPU 40 ms" in left(RejectionReason.SlowerThanCpu(close)))

    @Test
    fun `small shares are not shown as zero`() {
        assertEquals("<1%", texts.share(.001f))
        assertEquals("35%", texts.share(.349f))
    }
}
