package org.kerassegformer.demo.pictures

import org.junit.Assert.assertEquals
import org.junit.Test
import org.kerassegformer.core.Box
import org.kerassegformer.core.LabelMap
import kotlin.math.abs
import kotlin.random.Random

internal class ClassAnchorsTest {
    private val anchors = ClassAnchors()

    private fun mapOf(vararg rows: String): LabelMap {
        val map = LabelMap(rows[0].length, rows.size)
        rows.forEachIndexed { y, row -> row.forEachIndexed { x, c -> map.labels[y * map.width + x] = c.digitToInt() } }
        return map
    }

    private fun all(map: LabelMap) = Box(0.0, 0.0, map.width.toDouble(), map.height.toDouble())

    @Test
    fun `the anchor is at the centre of a segment`() {
        val map = mapOf(
            "1111111",
            "1000001",
            "1000001",
            "1000001",
            "1000001",
            "1000001",
            "1111111",
        )
        assertEquals(listOf(ClassAnchor(0, 3, 3, 3)), anchors.find(map, all(map), leastRadius = 2))
    }

    @Test
    fun `padding is ignored`() {
        val map = LabelMap(8, 8).apply { labels.fill(4) }
        val found = anchors.find(map, Box(0.0, 2.0, 8.0, 6.0), leastRadius = 1).single()
        assertEquals(2, found.radius)
        assertEquals(true, found.y in 2..5)
    }

    @Test
    fun `the radius of an anchor matches brute force`() {
        val random = Random(3)
        repeat(50) {
            val map = LabelMap(12, 9)
            for (i in map.labels.indices) map.labels[i] = if (random.nextInt(9) == 0) 1 else 0
            for (anchor in anchors.find(map, all(map), leastRadius = 1)) {
                assertEquals(slowRadius(map, anchor.x, anchor.y), anchor.radius)
                val deepest = map.labels.indices.filter { map.labels[it] == anchor.index }
                    .maxOf { slowRadius(map, it % map.width, it / map.width) }
                assertEquals(deepest, anchor.radius)
            }
        }
    }

    /** Chessboard distance to the nearest pixel of another class, or outside the map. */
    private fun slowRadius(map: LabelMap, x: Int, y: Int): Int {
        var least = minOf(minOf(x, y), minOf(map.width - 1 - x, map.height - 1 - y)) + 1
        for (i in map.labels.indices) {
            if (map.labels[i] == map[x, y]) continue
            least = minOf(least, maxOf(abs(i % map.width - x), abs(i / map.width - y)))
        }
        return least
    }
}
