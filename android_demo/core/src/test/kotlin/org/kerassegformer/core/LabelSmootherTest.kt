package org.kerassegformer.core

import kotlinx.serialization.json.float
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class LabelSmootherTest {
    private val classes = labelSet(4)

    private fun labelSet(count: Int) =
        LabelSet("test", "Test", List(count) { "class $it" }, List(count) { 0 }, ignoreIndex = 255)

    private fun shown(smoother: LabelSmoother, labels: List<Int>): List<Int> {
        val map = LabelMap(1, 1)
        return labels.map { label ->
            map.labels[0] = label
            smoother.smooth(map)
            map.labels[0]
        }
    }

    @Test
    fun labelsAreThoseOfThePythonPackage() {
        val golden = GoldenData("steady")
        val cases = golden.cases("cases")
        assertTrue(cases.size >= 3)
        for (case in cases) {
            val (width, height) = case.numbers("map")
            val labelSet = labelSet(case.number("classes"))
            val weight = case.getValue("weight").jsonPrimitive.float
            val smoother = LabelSmoother(width, height, labelSet, weight)
            val map = LabelMap(width, height)
            val frames = case.getValue("labels").jsonArray.zip(case.getValue("expected").jsonArray)
            for ((number, frame) in frames.withIndex()) {
                golden.words(frame.first).copyInto(map.labels)
                smoother.smooth(map)
                assertArrayEquals("$weight, frame $number", golden.words(frame.second), map.labels)
            }
        }
    }

    @Test
    fun labelsOfASingleFrameAreNotShown() {
        assertEquals(List(8) { 1 }, shown(LabelSmoother(1, 1, classes), listOf(1, 2, 1, 1, 3, 1, 1, 0)))
    }

    @Test
    fun aChangeShowsAfterTheDelay() {
        for (weight in listOf(0f, .3f, .6f, .75f, .9f)) {
            val smoother = LabelSmoother(1, 1, classes, weight)
            val seen = shown(smoother, List(60) { 1 } + List(20) { 2 })
            assertEquals("$weight", smoother.delayFrames, seen.drop(60).indexOf(2))
        }
        assertEquals(1, LabelSmoother(1, 1, classes).delayFrames)
    }

    @Test
    fun labelsOfNoClassAreIgnored() {
        assertEquals(listOf(255, 255, 255), shown(LabelSmoother(1, 1, classes), listOf(4, -1, 2)))
        assertEquals(listOf(1, 1, 255), shown(LabelSmoother(1, 1, classes), listOf(1, 255, 77)))
    }

    @Test
    fun afterAResetTheNextFrameIsShown() {
        val smoother = LabelSmoother(1, 1, classes)
        shown(smoother, listOf(1, 1))
        smoother.reset()
        assertEquals(listOf(2, 2), shown(smoother, listOf(2, 1)))
    }

    @Test
    fun anotherSizeIsAnError() {
        assertThrows(LabelException::class.java) { LabelSmoother(2, 2, classes).smooth(LabelMap(1, 2)) }
    }

    @Test
    fun mapsThatNeedTooMuchMemoryAreRefused() {
        assertTrue(LabelSmoother.fits(128, 128, labelSet(150)))
        assertFalse(LabelSmoother.fits(512, 512, labelSet(150)))
        assertThrows(LabelException::class.java) { LabelSmoother(512, 512, labelSet(150)) }
    }
}
