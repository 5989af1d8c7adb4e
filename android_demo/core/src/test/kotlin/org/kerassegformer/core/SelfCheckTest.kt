package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class SelfCheckTest {
    private val labelSet = TestSpecs.spec().labelSet

    private fun map(label: (Int) -> Int) = LabelMap(20, 10).apply { labels.indices.forEach { labels[it] = label(it) } }

    private fun compare(threshold: Double = 0.95, accelerated: (Int) -> Int): SelfCheckResult =
        SelfCheck.compare(map(accelerated), map { if (it < 100) 0 else 1 }, labelSet, threshold)

    @Test
    fun theSameLabelsPass() {
        val result = compare { if (it < 100) 0 else 1 }
        assertEquals(1.0, result.agreement, 0.0)
        assertTrue(result.passed)
    }

    @Test
    fun theThresholdIsInclusive() {
        assertTrue(compare { if (it < 90) 0 else 1 }.passed)
        val rejected = compare { if (it < 89) 0 else 1 }
        assertEquals(0.945, rejected.agreement, 1e-12)
        assertFalse(rejected.passed)
        assertEquals("94.5% of the labels match the CPU, 95.0% required", rejected.detail)
    }

    @Test
    fun aClassThatVanishesIsRejectedWhateverTheAgreement() {
        val reference = map { if (it < 2) 2 else 1 }
        val result = SelfCheck.compare(map { 1 }, reference, labelSet, 0.9)
        assertEquals(0.99, result.agreement, 1e-12)
        assertEquals(listOf("car"), result.vanished)
        assertFalse(result.passed)
        assertTrue(result.detail, result.detail.endsWith("does not detect car"))
        assertTrue(SelfCheck.compare(map { 1 }, map { if (it < 1) 2 else 1 }, labelSet, 0.9).passed)
    }

    @Test
    fun outOfRangeLabelsOfTheAcceleratorAreRejectedNotThrown() {
        assertEquals(0.0, compare { Int.MIN_VALUE + it }.agreement, 0.0)
    }

    @Test
    fun otherSizesAreErrors() {
        assertThrows(LabelException::class.java) { SelfCheck.compare(LabelMap(2, 2), LabelMap(2, 3), labelSet, 0.9) }
    }

    @Test
    fun theThresholdFollowsFromTheFidelities() {
        val int8 = TestSpecs.file(Precision.INT8).spec
        val float16 = TestSpecs.file(Precision.FLOAT16).spec.copy(fidelity = null)
        val npu = TestSpecs.file(Precision.INT8_NPU).spec.copy(fidelity = Fidelity(3, 0.99, 0.95))
        // Worst agreements .97, .99 (the default for floats) and .95; margin .01.
        assertEquals(0.95, SelfCheck.threshold(float16, int8), 1e-12)
        assertEquals(0.91, SelfCheck.threshold(npu, int8), 1e-12)
        assertEquals(0.98, SelfCheck.threshold(float16, float16), 1e-12)
        assertEquals(0.94, SelfCheck.threshold(npu, npu), 1e-12)
        assertEquals(0.86, SelfCheck.threshold(int8.copy(fidelity = null, sha256 = ""), int8), 1e-12)
    }

    @Test
    fun theThresholdHasALowerBound() {
        val bad = TestSpecs.file(Precision.INT8).spec.copy(fidelity = Fidelity(3, 0.3, 0.1))
        assertEquals(0.8, SelfCheck.threshold(bad, bad), 1e-12)
    }
}
