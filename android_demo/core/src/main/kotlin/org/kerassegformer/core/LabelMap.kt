package org.kerassegformer.core

/**
 * Labels `(height, width)`, row by row, in an array that is filled anew for every frame.
 *
 * @throws LabelException [LabelFault.OTHER_SIZE]: a side is not from 1 to [FrameGeometry.MAX_TENSOR_SIDE]
 */
public class LabelMap(public val width: Int, public val height: Int) {
    init {
        if (width !in 1..FrameGeometry.MAX_TENSOR_SIDE || height !in 1..FrameGeometry.MAX_TENSOR_SIDE) {
            throw LabelException(
                LabelFault.OTHER_SIZE,
                "No map has $width x $height labels; choose sides from 1 to ${FrameGeometry.MAX_TENSOR_SIDE}.",
            )
        }
    }

    /** `height * width` numbers of classes. */
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
                "The map has $width x $height labels where $expectedWidth x $expectedHeight were expected; make it " +
                    "of the size of the model's output.",
            )
        }
    }
}
