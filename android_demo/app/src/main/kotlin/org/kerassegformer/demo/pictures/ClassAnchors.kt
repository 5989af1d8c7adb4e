package org.kerassegformer.demo.pictures

import org.kerassegformer.core.Box
import org.kerassegformer.core.LabelMap

/**
 * A point well inside a segment, for its label.
 *
 * @property x column of the label map
 * @property y row of the label map
 * @property radius distance to the nearest other class, in pixels of the map
 */
internal data class ClassAnchor(val index: Int, val x: Int, val y: Int, val radius: Int)

/**
 * Places labels: finds the pole of inaccessibility of each class, the point farthest from all other classes, by a
 * chessboard distance transform in two passes (Rosenfeld and Pfaltz, "Sequential operations in digital picture
 * processing", 1966). Reuses its buffers. Not thread-safe.
 */
internal class ClassAnchors {
    private var distances = IntArray(0)

    /**
     * Returns the anchors of the classes within [content] with a radius of at least [leastRadius], by descending
     * radius.
     *
     * @param content the region that the image fills, in pixels of the map
     */
    fun find(map: LabelMap, content: Box, leastRadius: Int): List<ClassAnchor> {
        if (distances.size != map.labels.size) distances = IntArray(map.labels.size)
        val left = content.left.toInt()
        val top = content.top.toInt()
        val right = content.right.toInt().coerceAtMost(map.width)
        val bottom = content.bottom.toInt().coerceAtMost(map.height)
        val inner = Window(map, left, top, right, bottom)
        inner.forwards()
        return inner.backwards(leastRadius).values.sortedByDescending(ClassAnchor::radius)
    }

    /** The region of a map that is searched; everything outside counts as another class. */
    private inner class Window(
        private val map: LabelMap,
        private val left: Int,
        private val top: Int,
        private val right: Int,
        private val bottom: Int,
    ) {
        fun forwards() {
            for (y in top until bottom) {
                for (x in left until right) {
                    distances[y * map.width + x] =
                        1 + minOf(at(x, y, -1, 0), at(x, y, -1, -1), minOf(at(x, y, 0, -1), at(x, y, 1, -1)))
                }
            }
        }

        fun backwards(leastRadius: Int): Map<Int, ClassAnchor> {
            val best = HashMap<Int, ClassAnchor>()
            for (y in bottom - 1 downTo top) {
                for (x in right - 1 downTo left) {
                    val place = y * map.width + x
                    val back = 1 + minOf(at(x, y, 1, 0), at(x, y, 1, 1), minOf(at(x, y, 0, 1), at(x, y, -1, 1)))
                    distances[place] = minOf(distances[place], back)
                    val index = map.labels[place]
                    if (distances[place] >= maxOf(leastRadius, (best[index]?.radius ?: 0) + 1)) {
                        best[index] = ClassAnchor(index, x, y, distances[place])
                    }
                }
            }
            return best
        }

        /** Distance of a neighbour of the same class; 0 for other classes and outside the region. */
        private fun at(x: Int, y: Int, stepX: Int, stepY: Int): Int {
            val otherX = x + stepX
            val otherY = y + stepY
            if (otherX < left || otherX >= right || otherY < top || otherY >= bottom) return 0
            val other = otherY * map.width + otherX
            return if (map.labels[other] == map.labels[y * map.width + x]) distances[other] else 0
        }
    }
}
