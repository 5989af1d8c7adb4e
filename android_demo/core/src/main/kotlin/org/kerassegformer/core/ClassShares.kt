package org.kerassegformer.core

import kotlin.math.ceil

/** Share of an image that a class covers, 0..1. */
public data class ClassShare(
    public val index: Int,
    public val name: String,
    public val color: Int,
    public val share: Float,
)

/** Counts the labels of each class. Only [list] allocates memory. Not thread-safe. */
public class ClassShares(public val labelSet: LabelSet) {
    private val counts = IntArray(labelSet.size)

    /**
     * Counts the labels of a map, or of the part that the image fills.
     *
     * @param content counted region, in pixels of the map; null for all of it. Labels of the padding are outside
     * @throws LabelException [LabelFault.UNKNOWN_CLASS]; all counts are then 0
     */
    public fun count(map: LabelMap, content: Box? = null) {
        if (content == null) {
            count(map, 0, 0, map.width, map.height)
        } else {
            count(
                map,
                left = content.left.toInt().coerceAtLeast(0),
                top = content.top.toInt().coerceAtLeast(0),
                right = ceil(content.right).toInt().coerceAtMost(map.width),
                bottom = ceil(content.bottom).toInt().coerceAtMost(map.height),
            )
        }
    }

    /** Number of labels of a class; 0 for an invalid index. */
    public fun count(index: Int): Int = counts.getOrElse(index) { 0 }

    /** Returns the classes that occur, by descending share. The shares add up to 1. */
    public fun list(): List<ClassShare> {
        val total = counts.sum().toFloat()
        return counts.indices.filter { counts[it] > 0 }.sortedByDescending { counts[it] }.map {
            ClassShare(it, labelSet.names[it], labelSet.colors[it], counts[it] / total)
        }
    }

    private fun count(map: LabelMap, left: Int, top: Int, right: Int, bottom: Int) {
        counts.fill(0)
        for (y in top until bottom) {
            for (x in left until right) add(map[x, y])
        }
    }

    private fun add(label: Int) {
        if (label in counts.indices) {
            counts[label]++
        } else if (label != labelSet.ignoreIndex) {
            counts.fill(0)
            throw unknownClass(label, labelSet)
        }
    }
}

internal fun unknownClass(label: Int, labelSet: LabelSet): LabelException = LabelException(
    LabelFault.UNKNOWN_CLASS,
    "The model returned label $label, but has ${labelSet.size} classes: the processor computes wrong results, or the " +
        "JSON file belongs to another model; choose another processor or import the model again.",
)
