package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

class ModelSetTest {
    private val float16 = TestSpecs.file(Precision.FLOAT16, TensorType.FLOAT32)
    private val int8 = TestSpecs.file(Precision.INT8)
    private val npu = TestSpecs.file(Precision.INT8_NPU)

    @Test
    fun groupsTheFilesOfAPreset() {
        val other = TestSpecs.file(Precision.INT8, set = "b1_pets")
        val sets = ModelSet.group(listOf(other, npu, int8, float16))
        assertEquals(listOf("b0_camvid", "b1_pets"), sets.map { it.name })
        assertEquals(setOf(float16, int8, npu), sets.first().files.toSet())
    }

    @Test
    fun filesWithOtherClassesFormAnotherSet() {
        val labelSet = int8.spec.labelSet.copy(names = listOf("a", "b", "c"))
        val stranger = int8.copy(spec = int8.spec.copy(labelSet = labelSet))
        assertEquals(2, ModelSet.group(listOf(float16, stranger)).size)
    }

    @Test
    fun filesOfOtherNetworksFormOtherSets() {
        fun ModelFile.of(network: String?) = copy(spec = spec.copy(network = network))
        val sets = ModelSet.group(listOf(float16.of("a"), int8.of("b"), npu.of("b")))
        assertEquals(listOf("b0_camvid", "b0_camvid (2)"), sets.map { it.name })
        assertEquals(listOf(1, 2), sets.map { it.files.size })
        assertEquals("older converters state no network", 1, ModelSet.group(listOf(float16.of("a"), int8, npu)).size)
    }

    @Test
    fun aFileWithAnyNameIsASet() {
        assertEquals("mine", ModelSet.group(listOf(int8.copy(stem = "mine"))).single().name)
    }

    @Test
    fun everyProcessorGetsItsFile() {
        val set = ModelSet.group(listOf(int8, npu, float16)).single()
        assertEquals(float16, set.fileFor(Processor.GPU))
        assertEquals(npu, set.fileFor(Processor.NNAPI))
        assertEquals(int8, set.fileFor(Processor.CPU))
    }

    @Test
    fun onlyTheCpuUsesAnyFile() {
        val set = ModelSet.group(listOf(TestSpecs.file(Precision.FLOAT16))).single()
        assertEquals(Precision.FLOAT16, set.fileFor(Processor.CPU)?.spec?.precision)
        assertNull("the GPU delegate takes no bytes", set.fileFor(Processor.GPU))
        assertNull(set.fileFor(Processor.NNAPI))
    }
}
