package org.kerassegformer.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class ClassSharesTest {
    private val labelSet = TestSpecs.spec().labelSet
    private val shares = ClassShares(labelSet)

    private fun mapOf(vararg labels: Int) = LabelMap(2, labels.size / 2).also { labels.copyInto(it.labels) }

    @Test
    fun listsOccurringClassesByDescendingShare() {
        shares.count(mapOf(2, 2, 0, 255, 255, 2))
        assertEquals(
            listOf(ClassShare(2, "car", labelSet.colors[2], 0.75f), ClassShare(0, "sky", labelSet.colors[0], 0.25f)),
            shares.list(),
        )
    }

    @Test
    fun countsOnlyTheContent() {
        shares.count(mapOf(0, 0, 1, 2, 0, 0))
        shares.count(mapOf(0, 0, 1, 2, 0, 0), Box(0.0, 1.0, 2.0, 2.0))
        assertEquals(listOf(0, 1, 1), List(3, shares::count))
        shares.count(mapOf(0, 0), Box(-5.0, -5.0, 50.0, 50.0))
        assertEquals(2, shares.count(0))
        assertEquals(0, shares.count(99))
    }

    @Test
    fun ignoredPixelsHaveNoShares() {
        shares.count(mapOf(255, 255))
        assertTrue(shares.list().isEmpty())
    }

    @Test
    fun anOutOfRangeLabelIsAnError() {
        val error = assertThrows(LabelException::class.java) { shares.count(mapOf(0, 3)) }
        assertEquals(LabelFault.UNKNOWN_CLASS, error.fault)
        assertTrue(shares.list().isEmpty())
    }
}
