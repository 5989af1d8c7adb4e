package org.kerassegformer.core

/**
 * Temporal smoothing against flicker: a pixel changes its label after [frames] consecutive frames with the new one.
 *
 * Delays changes by [delayFrames] frames, hence off by default in the app. Not thread-safe.
 *
 * @throws LabelException [LabelFault.OTHER_SIZE]: a side is out of range
 */
public class LabelSmoother(mapWidth: Int, mapHeight: Int, frames: Int = 2) {
    /** At least 1, which disables smoothing. */
    public val frames: Int = frames.coerceIn(1, Byte.MAX_VALUE.toInt())

    /** Delay of changes, in frames. */
    public val delayFrames: Int get() = frames - 1

    private val shown = LabelMap(mapWidth, mapHeight)
    private val candidate = LabelMap(mapWidth, mapHeight)
    private val seen = ByteArray(mapWidth * mapHeight)
    private var isEmpty = true

    /**
     * Smooths the labels of a frame in place; the first frame is left unchanged.
     *
     * @throws LabelException [LabelFault.OTHER_SIZE]
     */
    public fun smooth(map: LabelMap) {
        map.checkSize(shown.width, shown.height)
        if (isEmpty) start(map) else for (index in seen.indices) map.labels[index] = smoothed(index, map.labels[index])
    }

    /** Clears the history, for example after switching cameras. */
    public fun reset() {
        isEmpty = true
    }

    private fun start(map: LabelMap) {
        shown.copyFrom(map)
        candidate.copyFrom(map)
        seen.fill(0)
        isEmpty = false
    }

    private fun smoothed(index: Int, label: Int): Int {
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
