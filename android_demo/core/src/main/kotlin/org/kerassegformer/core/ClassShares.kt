package org.kerassegformer.core

import kotlin.math.ceil

/** How much of a picture a class covers, 0..1. */
public data class ClassShare(
    public val index: Int,
    public val name: String,
    public val color: Int,
    public val share: Float,
)

/** Counts the labels of every class; makes nothing for a frame but in [list]. For one thread. */
public class ClassShares(public val labelSet: LabelSet) {
    private val counts = IntArray(labelSet.size)

    /**
     * Counts a map anew, all of it or the part that the picture fills.
     *
     * @param content in pixels of the map; labels outside count nowhere, such as those of bars
     * @throws LabelException [LabelFault.UNKNOWN_CLASS]; the counts are then 0
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

    /** Labels of a class; 0 for numbers that are none. */
    public fun count(index: Int): Int = counts.getOrElse(index) { 0 }

    /** The classes that occur, the largest first; their shares add up to 1. */
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
    "The model gave class $label of ${labelSet.size}: this processor computes wrongly, or the description is another " +
        "model's; choose another processor or import the model again.",
)
