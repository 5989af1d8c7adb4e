package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class DelegatePolicyTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val float16 = TestSpecs.file(Precision.FLOAT16, TensorType.FLOAT32)
    private val int8 = TestSpecs.file(Precision.INT8)
    private val npu = TestSpecs.file(Precision.INT8_NPU)
    private val set = ModelSet("b0_camvid", listOf(float16, int8, npu))
    private lateinit var crashLog: CrashLog

    @Before
    fun createEmptyLog() {
        crashLog = CrashLog(folder.root.resolve("crash_log.json"), { "phone" }, process = 1)
    }

    private fun plan(
        sdk: Int = 33,
        choice: ProcessorChoice = ProcessorChoice.AUTO,
        set: ModelSet = this.set,
        unsupported: Map<Processor, String> = emptyMap(),
    ) = DelegatePolicy(sdk, unsupported).plan(set, choice, crashLog)

    private fun ProcessorPlan.order() = candidates.map { it.processor }

    private fun ProcessorPlan.reasons() = skipped.associate { it.processor to it.reason }

    @Test
    fun aRuntimeWithItsOwnNpuLibrariesNeedsNoNnapi() {
        val plan = DelegatePolicy(sdk = 36, hasNpuRuntime = true).plan(set, ProcessorChoice.AUTO, crashLog)
        assertEquals(listOf(Processor.GPU, Processor.NNAPI, Processor.CPU), plan.order())
    }

    @Test
    fun triesGpuThenNnapiThenCpuEachWithItsFile() {
        assertEquals(
            listOf(Candidate(Processor.GPU, float16), Candidate(Processor.NNAPI, npu), Candidate(Processor.CPU, int8)),
            plan().candidates,
        )
        assertTrue(plan().skipped.isEmpty())
    }

    @Test
    fun nnapiIsForAndroid8_1To14() {
        for ((sdk, isTried) in listOf(26 to false, 27 to true, 34 to true, 35 to false)) {
            val plan = plan(sdk)
            assertEquals("API $sdk", isTried, Processor.NNAPI in plan.order())
            if (!isTried) assertEquals(mapOf(Processor.NNAPI to SkipReason.ANDROID_VERSION), plan.reasons())
        }
    }

    @Test
    fun whatIsNeverUsedIsNotOffered() {
        for ((sdk, isOffered) in listOf(26 to false, 27 to true, 34 to true, 35 to false)) {
            assertEquals("API $sdk", !isOffered, Processor.NNAPI in DelegatePolicy(sdk).unusable)
        }
        val gpu = mapOf(Processor.GPU to "no delegate")
        assertEquals(setOf(Processor.GPU, Processor.NNAPI), DelegatePolicy(sdk = 36, gpu).unusable)
        assertEquals(setOf(Processor.GPU), DelegatePolicy(sdk = 36, gpu, hasNpuRuntime = true).unusable)
    }

    @Test
    fun theSelectedProcessorPrecedesTheCpu() {
        assertEquals(listOf(Processor.GPU, Processor.CPU), plan(choice = ProcessorChoice.GPU).order())
        assertEquals(listOf(Processor.NNAPI, Processor.CPU), plan(choice = ProcessorChoice.NNAPI).order())
        assertEquals(listOf(Processor.CPU), plan(choice = ProcessorChoice.CPU).order())
        assertEquals(SkipReason.NOT_CHOSEN, plan(choice = ProcessorChoice.CPU).reasons()[Processor.GPU])
    }

    @Test
    fun aCrashedProcessorIsSkippedEvenIfSelected() {
        crashLog.end(Processor.GPU, float16, Attempt(Outcome.CRASHED, "the app ended"))
        for (choice in listOf(ProcessorChoice.AUTO, ProcessorChoice.GPU)) {
            assertEquals(SkipReason.CRASHED_BEFORE, plan(choice = choice).reasons()[Processor.GPU])
        }
        crashLog.clear()
        assertTrue(Processor.GPU in plan().order())
    }

    @Test
    fun failedAndRejectedProcessorsAreSkippedWithTheirDetail() {
        crashLog.end(Processor.GPU, float16, Attempt(Outcome.REJECTED, "10.0% match"))
        crashLog.end(Processor.NNAPI, npu, Attempt(Outcome.FAILED, "no driver"))
        assertEquals(
            listOf(
                Skipped(Processor.GPU, SkipReason.REJECTED_BEFORE, "10.0% match"),
                Skipped(Processor.NNAPI, SkipReason.FAILED_BEFORE, "no driver"),
            ),
            plan().skipped,
        )
    }

    @Test
    fun anotherFileIsTriedAgain() {
        crashLog.end(Processor.GPU, int8, Attempt(Outcome.CRASHED, "the app ended"))
        assertTrue(Processor.GPU in plan().order())
    }

    @Test
    fun unsupportedProcessorsAndMissingFilesAreSkipped() {
        val mine = ModelSet("mine", listOf(int8, float16))
        val plan = plan(set = mine, unsupported = mapOf(Processor.GPU to "no OpenCL"))
        assertEquals(listOf(Processor.CPU), plan.order())
        assertEquals(SkipReason.UNSUPPORTED, plan.reasons()[Processor.GPU])
        assertEquals(SkipReason.NO_FILE, plan.reasons()[Processor.NNAPI])
        assertTrue("names the remedy", "--precision int8_npu" in plan.skipped.last().detail)
    }

    @Test
    fun theCpuIsNeverSkipped() {
        crashLog.end(Processor.CPU, int8, Attempt(Outcome.CRASHED, "the app ended"))
        assertEquals(Processor.CPU, plan(unsupported = mapOf(Processor.CPU to "?")).order().last())
    }
}
