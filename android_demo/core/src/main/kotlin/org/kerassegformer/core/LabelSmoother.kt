package org.kerassegformer.core

/**
 * Steadies flicker: a place takes a new label once it was there in [frames] frames one after another.
 *
 * What moves is drawn [delayFrames] frames late, therefore the app leaves it off unless asked. For one thread.
 *
 * @throws LabelException [LabelFault.OTHER_SIZE]: a side is out of range
 */
public class LabelSmoother(mapWidth: Int, mapHeight: Int, frames: Int = 2) {
    /** At least 1, which changes nothing. */
    public val frames: Int = frames.coerceIn(1, Byte.MAX_VALUE.toInt())

    /** How many frames later than without it a change is seen. */
    public val delayFrames: Int get() = frames - 1

    private val shown = LabelMap(mapWidth, mapHeight)
    private val candidate = LabelMap(mapWidth, mapHeight)
    private val seen = ByteArray(mapWidth * mapHeight)
    private var isEmpty = true

    /**
     * Replaces the labels of a frame by the steady ones; the first frame stays as it is.
     *
     * @throws LabelException [LabelFault.OTHER_SIZE]
     */
    public fun smooth(map: LabelMap) {
        map.checkSize(shown.width, shown.height)
        if (isEmpty) start(map) else for (index in seen.indices) map.labels[index] = steady(index, map.labels[index])
    }

    /** Forgets what was seen, as when the camera changes. */
    public fun reset() {
        isEmpty = true
    }

    private fun start(map: LabelMap) {
        shown.copyFrom(map)
        candidate.copyFrom(map)
        seen.fill(0)
        isEmpty = false
    }

    private fun steady(index: Int, label: Int): Int {
        if (label == shown.labels[index]) {
            seen[index] = 0
            return label
        }
        if (label != candidate.labels[index]) {
            candidate.labels[index] = label
            seen[index] = 0
        }
        seen[index]++
        if (seen[index] >= frames) {
            shown.labels[index] = label
            seen[index] = 0
        }
        return shown.labels[index]
    }
}
