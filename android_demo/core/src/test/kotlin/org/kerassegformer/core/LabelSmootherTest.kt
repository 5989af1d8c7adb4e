package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class LabelSmootherTest {
    private fun shown(smoother: LabelSmoother, labels: List<Int>): List<Int> {
        val map = LabelMap(1, 1)
        return labels.map { label ->
            map.labels[0] = label
            smoother.smooth(map)
            map.labels[0]
        }
    }

    @Test
    fun flickerIsGone() {
        assertEquals(List(7) { 1 }, shown(LabelSmoother(1, 1), listOf(1, 2, 1, 2, 1, 3, 2)))
    }

    @Test
    fun aChangeShowsAfterTheDelay() {
        for (frames in 1..4) {
            val smoother = LabelSmoother(1, 1, frames)
            val seen = shown(smoother, listOf(1, 1) + List(6) { 2 })
            assertEquals("$frames frames", smoother.delayFrames, seen.drop(2).indexOf(2))
        }
    }

    @Test
    fun anInterruptedChangeStartsAgain() {
        assertEquals(listOf(1, 1, 1, 1, 2), shown(LabelSmoother(1, 1), listOf(1, 2, 1, 2, 2)))
        assertEquals(listOf(1, 1, 1, 1, 1, 2), shown(LabelSmoother(1, 1, 3), listOf(1, 2, 3, 2, 2, 2)))
    }

    @Test
    fun afterAResetTheNextFrameIsShown() {
        val smoother = LabelSmoother(1, 1)
        shown(smoother, listOf(1, 1))
        smoother.reset()
        assertEquals(listOf(2, 2), shown(smoother, listOf(2, 1)))
    }

    @Test
    fun anotherSizeIsAnError() {
        assertThrows(LabelException::class.java) { LabelSmoother(2, 2).smooth(LabelMap(1, 2)) }
    }
}
