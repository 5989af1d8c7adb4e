package org.kerassegformer.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.SelfCheckResult
import org.kerassegformer.demo.engine.CheckFigures
import org.kerassegformer.demo.engine.Refusal
import org.kerassegformer.demo.engine.RefusalReason
import org.kerassegformer.demo.models.ImportProblem
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
internal class EngineTextsTest {
    private val texts get() = EngineTexts(RuntimeEnvironment.getApplication().resources)
    private val close = CheckFigures(SelfCheckResult(.97999, .98, emptyList()), 50_000_000, 40_000_000)
    private val blind = CheckFigures(SelfCheckResult(.99, .98, listOf("Car", "Pole")), 50_000_000, 40_000_000)
    private val reasons = listOf(
        RefusalReason.NoModelFile,
        RefusalReason.AndroidVersion,
        RefusalReason.Unsupported("no OpenCL"),
        RefusalReason.EndedTheApp,
        RefusalReason.FailedBefore("no memory"),
        RefusalReason.RefusedBefore("0.61"),
        RefusalReason.NotBuilt("unsupported GELU"),
        RefusalReason.OutOfMemory,
        RefusalReason.Hung(15_000),
        RefusalReason.WrongAnswers(close),
        RefusalReason.WrongAnswers(blind),
        RefusalReason.NotCompared(RefusalReason.OutOfMemory),
        RefusalReason.NotNoted("read only"),
        RefusalReason.UnknownLabel(77, 11),
        RefusalReason.SlowerThanCpu(close),
        RefusalReason.FailedLater("device lost"),
        RefusalReason.HungLater(9_000),
    )
    private val problems = listOf(
        ImportProblem.PartnerMissing("a.tflite", "a.json"),
        ImportProblem.ForeignFile("a.txt"),
        ImportProblem.Unreadable("a.json", "gone"),
        ImportProblem.BadSpec("a.json", "no label_set"),
        ImportProblem.Truncated("a.tflite", 10, 20),
        ImportProblem.Corrupt("a.tflite"),
        ImportProblem.NotTfLite("a.tflite"),
        ImportProblem.DoesNotLoad("a.tflite", "needs FlexOps"),
        ImportProblem.NotStored("a.tflite", "read only"),
        ImportProblem.NoSpace("a.tflite", 7_000_000, 1_000_000),
    )

    private fun left(reason: RefusalReason) = texts.leftOut(Refusal(Processor.GPU, reason))

    @Test
    fun `each reason has its own sentence, without gaps`() = checkAll()

    @Test
    @Config(qualifiers = "ko")
    fun `each reason has its own sentence in Korean`() = checkAll()

    private fun checkAll() {
        val sentences = reasons.map(::left) + problems.map(texts::problem)
        assertEquals(sentences.size, sentences.toSet().size)
        for (sentence in sentences) assertFalse(sentence, "%" in sentence.replace(Regex("""[\d.]+%"""), ""))
    }

    @Test
    fun `problems of a model name the file`() {
        for (problem in problems) assertTrue(texts.problem(problem), problem.fileName in texts.problem(problem))
    }

    @Test
    fun `a share that is not enough never looks like one that is`() {
        assertTrue("97.9%" in left(RefusalReason.WrongAnswers(close)))
        assertTrue("Car, Pole" in left(RefusalReason.WrongAnswers(blind)))
        assertEquals("100%", texts.percent(1.0))
        assertEquals("99.9%", texts.percent(.99999))
    }

    @Test
    fun `times are in milliseconds`() = assertTrue("50 ms, CPU 40 ms" in left(RefusalReason.SlowerThanCpu(close)))

    @Test
    fun `small shares are not called nothing`() {
        assertEquals("< 1 %", texts.share(.001f))
        assertEquals("35 %", texts.share(.349f))
    }
}
