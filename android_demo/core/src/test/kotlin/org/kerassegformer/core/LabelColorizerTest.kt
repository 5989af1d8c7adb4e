package org.kerassegformer.core

import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

class LabelColorizerTest {
    private val golden = GoldenData("labels")
    private val labelSet = labelSetOf(
        golden.description.getValue("palette").jsonArray.map { rgb ->
            val (red, green, blue) = rgb.jsonArray.map { it.jsonPrimitive.content.toInt() }
            (0xFF shl 24) or (red shl 16) or (green shl 8) or blue
        },
    )

    @Test
    fun matchesTheReference() {
        val undecided = golden.description.number("undecided")
        for (case in golden.cases("maps")) {
            val (mapWidth, mapHeight) = case.numbers("map")
            val (width, height) = case.numbers("size")
            val map = LabelMap(mapWidth, mapHeight)
            golden.words(case.getValue("labels")).copyInto(map.labels)
            val colorizer = LabelColorizer(labelSet, mapWidth, mapHeight, width, height)
            colorizer.opacity = case.getValue("opacity").jsonPrimitive.double.toFloat()
            val actual = IntArray(width * height)
            colorizer.draw(map, actual)
            val expected = golden.words(case.getValue("expected"))
            val decided = expected.indices.filter { expected[it] != undecided }
            assertTrue("$case: most pixels are decided", decided.size > 0.7 * expected.size)
            for (index in decided) assertEquals("$case, pixel $index", expected[index], actual[index])
        }
    }

    @Test
    fun sharesMatchTheReference() {
        for (case in golden.cases("maps")) {
            val (width, height) = case.numbers("map")
            val map = LabelMap(width, height)
            golden.words(case.getValue("labels")).copyInto(map.labels)
            val shares = ClassShares(labelSet).also { it.count(map) }
            assertEquals(case.numbers("counts"), List(labelSet.size, shares::count))
        }
    }

    @Test
    fun partsAreThoseOfTheWholeImage() {
        val labels = labelSetOf(listOf(0xFF0000, 0x00FF00, 0x0000FF))
        val map = LabelMap(5, 4).also { map -> for (index in map.labels.indices) map.labels[index] = index * 7 % 3 }
        val colorizer = LabelColorizer(labels, 5, 4, 23, 19)
        val whole = IntArray(23 * 19).also { colorizer.draw(map, it) }
        for (rows in listOf(0..6, 7..18, 3..3)) {
            val part = IntArray(23 * rows.count()).also { colorizer.draw(map, it, rows) }
            assertArrayEquals("$rows", whole.copyOfRange(23 * rows.first, 23 * (rows.last + 1)), part)
        }
    }

    @Test
    fun theFirstClassWinsTies() {
        val colorizer = LabelColorizer(labelSet, 2, 2, 3, 3)
        val pixels = IntArray(9)
        for (corners in listOf(listOf(3, 2, 1, 0), listOf(0, 1, 2, 3), listOf(2, 3, 0, 1), listOf(3, 1, 2, 4))) {
            val map = LabelMap(2, 2).also { corners.toIntArray().copyInto(it.labels) }
            colorizer.draw(map, pixels)
            // The centre is equidistant from all four labels, and the centre of a side from its two ends.
            val (a, b, c, d) = corners
            val expected = listOf(a, minOf(a, b), b, minOf(a, c), corners.min(), minOf(b, d), c, minOf(c, d), d)
            assertEquals(expected.map { labelSet.colors[it] }, pixels.toList())
        }
    }

    @Test
    fun opacityIsClamped() {
        val colorizer = LabelColorizer(labelSet, 1, 1, 1, 1)
        for ((opacity, alpha) in listOf(-3f to 0, 0.5f to 128, 7f to 255, Float.NaN to 255)) {
            colorizer.opacity = opacity
            val pixels = IntArray(1)
            colorizer.draw(LabelMap(1, 1), pixels)
            assertEquals(alpha, pixels[0] ushr 24)
        }
    }

    @Test
    fun anOutOfRangeLabelIsAnErrorAndLeavesTheImageUnchanged() {
        val colorizer = LabelColorizer(labelSet, 2, 1, 4, 2)
        val map = LabelMap(2, 1)
        val pixels = IntArray(8) { 5 }
        for (label in listOf(-1, labelSet.size, Int.MAX_VALUE, Int.MIN_VALUE)) {
            map.labels[1] = label
            val error = assertThrows(LabelException::class.java) { colorizer.draw(map, pixels) }
            assertEquals(LabelFault.UNKNOWN_CLASS, error.fault)
            assertArrayEquals(IntArray(8) { 5 }, pixels)
        }
    }

    @Test
    fun otherSizesAreErrors() {
        val colorizer = LabelColorizer(labelSet, 2, 1, 4, 2)
        assertThrows(LabelException::class.java) { colorizer.draw(LabelMap(1, 2), IntArray(8)) }
        assertThrows(FrameException::class.java) { colorizer.draw(LabelMap(2, 1), IntArray(7)) }
        assertThrows(FrameException::class.java) { LabelColorizer(labelSet, 2, 1, 0, 2) }
    }
}

internal fun labelSetOf(colors: List<Int>): LabelSet =
    LabelSet("test", "", List(colors.size) { "class $it" }, colors, ignoreIndex = 255)
