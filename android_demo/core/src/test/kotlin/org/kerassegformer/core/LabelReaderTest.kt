package org.kerassegformer.core

import java.nio.ByteBuffer
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class LabelReaderTest {
    @Test
    fun readsNewLabelsForEveryFrame() {
        val spec = OutputSpec(OutputKind.LABELS, 3, 2, 1)
        val output = LabelReader.newOutput(spec)
        val reader = LabelReader(spec, output)
        val map = LabelMap(3, 2)
        for (frame in 0..2) {
            for (index in 0..5) output.putInt(4 * index, 10 * frame + index)
            output.position(7)
            reader.read(map)
            assertArrayEquals(IntArray(6) { 10 * frame + it }, map.labels)
        }
        assertEquals(24, map[1, 1])
    }

    @Test
    fun computesTheArgmaxAndTheFirstClassWinsTies() {
        val logits = listOf(1f, 3f, 2f, -1f, -1f, -2f, Float.NEGATIVE_INFINITY, 0f, Float.POSITIVE_INFINITY)
        assertArrayEquals(intArrayOf(1, 0, 2), labelsOf(OutputSpec(OutputKind.LOGITS, 1, 3, 3), logits))
    }

    @Test
    fun aSingleLogitIsThatOfTheForeground() {
        assertArrayEquals(intArrayOf(1, 0, 0), labelsOf(OutputSpec(OutputKind.LOGITS, 3, 1, 1), listOf(0.1f, 0f, -4f)))
    }

    @Test
    fun otherSizesAreErrors() {
        val spec = OutputSpec(OutputKind.LABELS, 3, 2, 1)
        assertThrows(LabelException::class.java) { LabelReader(spec, ByteBuffer.allocateDirect(23)) }
        val reader = LabelReader(spec, LabelReader.newOutput(spec))
        val error = assertThrows(LabelException::class.java) { reader.read(LabelMap(2, 3)) }
        assertEquals(LabelFault.OTHER_SIZE, error.fault)
        assertThrows(LabelException::class.java) { LabelMap(3, 2).copyFrom(LabelMap(2, 3)) }
        assertThrows(LabelException::class.java) { LabelMap(0, 3) }
    }

    @Test
    fun placesWithTwoLikelyClassesAreNotSure() {
        val spec = OutputSpec(OutputKind.LOGITS, width = 2, height = 1, channels = 3)
        val output = LabelReader.newOutput(spec)
        output.asFloatBuffer().put(floatArrayOf(3f, 1f, 0f, 1f, 2f, 1.5f))
        val map = LabelMap(2, 1)
        val reader = LabelReader(spec, output)
        reader.read(map)
        assertArrayEquals(intArrayOf(0, 1), map.labels)
        reader.read(map, leastMargin = 1f, unsure = 255)
        assertArrayEquals(intArrayOf(0, 255), map.labels)
    }

    @Test
    fun aSingleLogitNearZeroIsNotSure() {
        val spec = OutputSpec(OutputKind.LOGITS, width = 3, height = 1, channels = 1)
        val output = LabelReader.newOutput(spec)
        output.asFloatBuffer().put(floatArrayOf(-2f, .2f, 2f))
        val map = LabelMap(3, 1)
        LabelReader(spec, output).read(map, leastMargin = 1f, unsure = 255)
        assertArrayEquals(intArrayOf(0, 255, 1), map.labels)
    }

    private fun labelsOf(spec: OutputSpec, logits: List<Float>): IntArray {
        val output = LabelReader.newOutput(spec)
        logits.forEachIndexed { index, logit -> output.putFloat(4 * index, logit) }
        return LabelMap(spec.width, spec.height).also(LabelReader(spec, output)::read).labels
    }
}
