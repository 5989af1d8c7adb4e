package org.kerassegformer.core

import kotlin.math.roundToInt

/**
 * Renders label maps as ARGB images, upsampled with smooth borders.
 *
 * Equivalent to bilinear upsampling of the one-hot map followed by argmax (the lowest index wins ties), but only looks
 * at the four labels around a pixel. Allocates nothing per frame. Not thread-safe.
 *
 * @throws FrameException [FrameFault.BAD_SHAPE]: a side is not in 1..[FrameGeometry.MAX_TENSOR_SIDE]
 */
public class LabelColorizer(
    public val labelSet: LabelSet,
    public val mapWidth: Int,
    public val mapHeight: Int,
    public val width: Int,
    public val height: Int,
) {
    init {
        val sides = listOf(mapWidth, mapHeight, width, height)
        if (sides.any { it !in 1..FrameGeometry.MAX_TENSOR_SIDE }) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "A map of $mapWidth x $mapHeight labels cannot be rendered at $width x $height pixels; choose sides " +
                    "from 1 to ${FrameGeometry.MAX_TENSOR_SIDE}.",
            )
        }
    }

    private val across = ResamplingAxis.of(width, 0.0, mapWidth.toDouble(), mapWidth)
    private val down = ResamplingAxis.of(height, 0.0, mapHeight.toDouble(), mapHeight)

    /** Entry n is the end of the pixels between the labels n and n + 1 of a row. */
    private val cellEnds = IntArray(mapWidth).also { ends ->
        for (x in 0 until width) ends[across.sample(x)] = x + 1
    }

    /** The map, with the ignore index replaced by the number of classes. */
    private val classes = IntArray(mapWidth * mapHeight)
    private val colors = IntArray(labelSet.size + 1)

    /** Opacity of the colours, clamped to 0..1. */
    public var opacity: Float = 1f
        set(value) {
            field = if (value.isNaN()) 1f else value.coerceIn(0f, 1f)
            mixColors()
        }

    init {
        mixColors()
    }

    /**
     * Renders a map.
     *
     * @param pixels `height * width`, ARGB, not premultiplied; transparent for the ignore index
     * @throws LabelException the map has another size, or a label is out of range
     * @throws FrameException [FrameFault.BUFFER_TOO_SMALL]
     */
    public fun draw(map: LabelMap, pixels: IntArray): Unit = draw(map, pixels, 0, height)

    /**
     * Renders a part of a map, for images that are too large for one array.
     *
     * @param pixels `rows * width`, as in the other method
     * @param rows rows of the image, within `0 until height`
     * @throws LabelException the map has another size, or a label is out of range
     * @throws FrameException [FrameFault.BUFFER_TOO_SMALL]
     */
    public fun draw(map: LabelMap, pixels: IntArray, rows: IntRange): Unit =
        draw(map, pixels, rows.first, rows.last + 1)

    private fun draw(map: LabelMap, pixels: IntArray, first: Int, end: Int) {
        map.checkSize(mapWidth, mapHeight)
        val count = end - first
        if (pixels.size < width * count) {
            throw FrameException(
                FrameFault.BUFFER_TOO_SMALL,
                "The image has ${pixels.size} pixels, but $width x $count are needed; pass a larger array.",
            )
        }
        readClasses(map)
        for (y in first until end) drawRow(y, pixels, (y - first) * width)
    }

    private fun mixColors() {
        val alpha = (opacity * 255).roundToInt() shl 24
        for (index in 0 until labelSet.size) colors[index] = alpha or (labelSet.colors[index] and 0xFFFFFF)
        colors[labelSet.size] = 0
    }

    private fun readClasses(map: LabelMap) {
        val count = labelSet.size
        for (index in classes.indices) {
            val label = map.labels[index]
            classes[index] = when (label) {
                in 0 until count -> label
                labelSet.ignoreIndex -> count
                else -> throw unknownClass(label, labelSet)
            }
        }
    }

    private fun drawRow(y: Int, pixels: IntArray, start: Int) {
        val upper = down.sample(y) * mapWidth
        val lower = minOf(down.sample(y) + 1, mapHeight - 1) * mapWidth
        val weight = down.weight(y)
        var x = 0
        for (cell in 0 until mapWidth) {
            val end = cellEnds[cell]
            if (end <= x) continue
            val next = minOf(cell + 1, mapWidth - 1)
            val a = classes[upper + cell]
            val b = classes[upper + next]
            val c = classes[lower + cell]
            val d = classes[lower + next]
            if (a == b && a == c && a == d) {
                pixels.fill(colors[a], start + x, start + end)
            } else {
                for (pixel in x until end) {
                    pixels[start + pixel] = colors[winner(a, b, c, d, across.weight(pixel), weight)]
                }
            }
            x = end
        }
    }

    private companion object {
        /** The class with the greatest weight, the lowest of equals: [a] and [b] above, [c] and [d] below. */
        fun winner(a: Int, b: Int, c: Int, d: Int, right: Int, below: Int): Int {
            val left = ResamplingAxis.ONE - right
            val above = ResamplingAxis.ONE - below
            val ofA = left * above
            val ofB = right * above
            val ofC = left * below
            val ofD = right * below
            var best = a
            var most = sum(a, a, b, c, d, ofA, ofB, ofC, ofD)
            val second = sum(b, a, b, c, d, ofA, ofB, ofC, ofD)
            if (second > most || second == most && b < best) {
                best = b
                most = second
            }
            val third = sum(c, a, b, c, d, ofA, ofB, ofC, ofD)
            if (third > most || third == most && c < best) {
                best = c
                most = third
            }
            val fourth = sum(d, a, b, c, d, ofA, ofB, ofC, ofD)
            return if (fourth > most || fourth == most && d < best) d else best
        }

        private fun sum(of: Int, a: Int, b: Int, c: Int, d: Int, ofA: Int, ofB: Int, ofC: Int, ofD: Int): Int {
            val above = (if (of == a) ofA else 0) + (if (of == b) ofB else 0)
            val below = (if (of == c) ofC else 0) + (if (of == d) ofD else 0)
            return above + below
        }
    }
}
