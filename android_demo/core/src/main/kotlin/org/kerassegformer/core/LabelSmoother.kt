package org.kerassegformer.core

import kotlin.math.ceil
import kotlin.math.ln

/**
 * Labels of the exponential mean over the frames of a video, against flicker.
 *
 * With the votes `v` of a frame, 1 for the label of a place and 0 for all others, the mean is
 * `m = weight * m + (1 - weight) * v`, and that of the first frame is `v` itself. The label is the one with the largest
 * mean, of equals the first. This is the definition of `keras-segformer predict --steady`, which takes logits for `v`
 * where the model has them; both are tested against `golden/steady.json`.
 *
 * All labels outside of [labelSet] count as one, and become its `ignoreIndex`. Not thread-safe.
 *
 * @property weight weight of the frames before, at least 0 and below 1; 0 leaves labels as they are
 * @throws LabelException [LabelFault.OTHER_SIZE]: the map has too many labels, see [fits]
 */
public class LabelSmoother(
    private val mapWidth: Int,
    private val mapHeight: Int,
    private val labelSet: LabelSet,
    weight: Float = WEIGHT,
) {
    public val weight: Float = if (weight in 0f..MOST_WEIGHT) weight else WEIGHT

    /** Frames until a change is shown where the labels were the same for long. */
    public val delayFrames: Int get() = if (weight < HALF) 0 else ceil(ln(HALF) / ln(weight)).toInt() - 1

    private val slots = labelSet.size + 1
    private val means: FloatArray
    private var isEmpty = true

    init {
        if (!fits(mapWidth, mapHeight, labelSet)) {
            throw LabelException(
                LabelFault.OTHER_SIZE,
                "$mapWidth x $mapHeight labels of ${labelSet.size} classes are too many to be smoothed; convert the " +
                    "model with --output-kind labels.",
            )
        }
        means = FloatArray(mapWidth * mapHeight * slots)
    }

    /**
     * Smooths the labels of a frame in place; the first frame is left unchanged.
     *
     * @throws LabelException [LabelFault.OTHER_SIZE]
     */
    public fun smooth(map: LabelMap) {
        map.checkSize(mapWidth, mapHeight)
        val kept = if (isEmpty) 0f else weight
        val added = if (isEmpty) 1f else 1 - weight
        isEmpty = false
        for (index in map.labels.indices) map.labels[index] = smoothed(index * slots, map.labels[index], kept, added)
    }

    /** Forgets the frames before, for example after switching cameras. */
    public fun reset() {
        isEmpty = true
    }

    private fun smoothed(first: Int, label: Int, kept: Float, added: Float): Int {
        val voted = if (label in 0 until labelSet.size) label else labelSet.size
        var best = 0
        for (slot in 0 until slots) {
            var mean = kept * means[first + slot]
            if (slot == voted) mean += added
            means[first + slot] = mean
            if (mean > means[first + best]) best = slot
        }
        return if (best == labelSet.size) labelSet.ignoreIndex else best
    }

    public companion object {
        /** The usual [weight], that of `--steady`. */
        public const val WEIGHT: Float = .6f

        private const val HALF = .5f
        private const val MOST_WEIGHT = .99f

        /** 64 MB. */
        private const val MOST_MEANS = 1L shl 24

        /** Returns true if the means of such a map fit into the memory of a phone. */
        public fun fits(mapWidth: Int, mapHeight: Int, labelSet: LabelSet): Boolean =
            mapWidth.toLong() * mapHeight * (labelSet.size + 1) <= MOST_MEANS
    }
}
