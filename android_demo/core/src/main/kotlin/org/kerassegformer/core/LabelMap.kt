package org.kerassegformer.core

/**
 * Labels `(height, width)` in row-major order, in an array that is reused for each frame.
 *
 * @throws LabelException [LabelFault.OTHER_SIZE]: a side is not in 1..[FrameGeometry.MAX_TENSOR_SIDE]
 */
public class LabelMap(public val width: Int, public val height: Int) {
    init {
        if (width !in 1..FrameGeometry.MAX_TENSOR_SIDE || height !in 1..FrameGeometry.MAX_TENSOR_SIDE) {
            throw LabelException(
                LabelFault.OTHER_SIZE,
                "A map of $width x $height labels is not supported; choose sides from 1 to " +
                    "${FrameGeometry.MAX_TENSOR_SIDE}.",
            )
        }
    }

    /** `height * width` class indices. */
    public val labels: IntArray = IntArray(width * height)

    public operator fun get(x: Int, y: Int): Int = labels[y * width + x]

    /** @throws LabelException [LabelFault.OTHER_SIZE] */
    public fun copyFrom(other: LabelMap) {
        checkSize(other.width, other.height)
        other.labels.copyInto(labels)
    }

    /** @throws LabelException [LabelFault.OTHER_SIZE] */
    internal fun checkSize(expectedWidth: Int, expectedHeight: Int) {
        if (width != expectedWidth || height != expectedHeight) {
            throw LabelException(
                LabelFault.OTHER_SIZE,
                "The map has $width x $height labels instead of $expectedWidth x $expectedHeight; create it with " +
                    "the size of the model's output.",
            )
        }
    }
}
