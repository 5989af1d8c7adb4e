package org.kerassegformer.core

import kotlin.math.roundToInt

/** A turn by [degrees], clockwise, that makes a frame upright. */
public enum class Rotation(public val degrees: Int) {
    NONE(0),
    CLOCKWISE_90(90),
    HALF(180),
    CLOCKWISE_270(270),
    ;

    /** Whether width and height change places. */
    public val swapsSides: Boolean get() = this == CLOCKWISE_90 || this == CLOCKWISE_270

    public companion object {
        /**
         * The turn by a multiple of 90 degrees, negative or above 360 ones included.
         *
         * @throws FrameException [FrameFault.BAD_SHAPE]: no multiple of 90
         */
        public fun of(degrees: Int): Rotation {
            if (degrees % 90 != 0) {
                throw FrameException(
                    FrameFault.BAD_SHAPE,
                    "A frame is turned by 0, 90, 180 or 270 degrees, not by $degrees; round to the nearest of them.",
                )
            }
            return entries[Math.floorMod(degrees / 90, 4)]
        }
    }
}

/** How a picture comes to another aspect ratio. */
public enum class Framing {
    /** Its largest centred part of that ratio fills all. */
    CROP,

    /** All of it is seen, with bars left and right or above and below. */
    FIT,
}

/** A point in pixels; the centre of the first pixel lies at (0.5, 0.5). */
public data class Point(public val x: Double, public val y: Double)

/** A rectangle in pixels, its right and bottom outside of it. */
public data class Box(
    public val left: Double,
    public val top: Double,
    public val right: Double,
    public val bottom: Double,
) {
    public val width: Double get() = right - left
    public val height: Double get() = bottom - top

    public operator fun contains(point: Point): Boolean =
        point.x >= left && point.x < right && point.y >= top && point.y < bottom

    /** Where a point of this box lies in another, if this box is scaled onto it. */
    public fun mapTo(other: Box, point: Point): Point = Point(
        other.left + (point.x - left) * other.width / width,
        other.top + (point.y - top) * other.height / height,
    )
}

/**
 * Where the pixels of a frame come to lie in the model's input.
 *
 * The frame is turned by [rotation], then, if [mirror], flipped left to right: that is the upright picture. Of it,
 * [source] is scaled into [content] of the tensor.
 *
 * @property frameWidth pixels, as the camera gives them
 * @property frameHeight pixels
 * @throws FrameException [FrameFault.BAD_SHAPE]: a side of the frame is not from 1 to [MAX_FRAME_SIDE], or one of the
 *   tensor not from 1 to [MAX_TENSOR_SIDE]
 */
public data class FrameGeometry(
    public val frameWidth: Int,
    public val frameHeight: Int,
    public val tensorWidth: Int,
    public val tensorHeight: Int,
    public val rotation: Rotation = Rotation.NONE,
    public val mirror: Boolean = false,
    public val framing: Framing = Framing.CROP,
) {
    init {
        checkSize("frame", frameWidth, frameHeight, MAX_FRAME_SIDE)
        checkSize("tensor", tensorWidth, tensorHeight, MAX_TENSOR_SIDE)
    }

    /** Width of the upright picture. */
    public val uprightWidth: Int get() = if (rotation.swapsSides) frameHeight else frameWidth

    /** Height of the upright picture. */
    public val uprightHeight: Int get() = if (rotation.swapsSides) frameWidth else frameHeight

    private val isWiderThanTensor = uprightWidth.toLong() * tensorHeight > uprightHeight.toLong() * tensorWidth

    /** The part of the upright picture that the model sees. */
    public val source: Box = makeSource()

    /** The part of the tensor that [source] fills, in whole pixels; the rest has the colour [PADDING]. */
    public val content: Box = makeContent()

    /** From the upright picture to the tensor. */
    public fun toTensor(point: Point): Point = source.mapTo(content, point)

    /** From the tensor to the upright picture. */
    public fun toUpright(point: Point): Point = content.mapTo(source, point)

    private fun makeSource(): Box {
        val width = uprightWidth.toDouble()
        val height = uprightHeight.toDouble()
        if (framing == Framing.FIT) return Box(0.0, 0.0, width, height)
        val seenWidth = if (isWiderThanTensor) height * tensorWidth / tensorHeight else width
        val seenHeight = if (isWiderThanTensor) height else width * tensorHeight / tensorWidth
        val left = (width - seenWidth) / 2
        val top = (height - seenHeight) / 2
        return Box(left, top, left + seenWidth, top + seenHeight)
    }

    private fun makeContent(): Box {
        if (framing == Framing.CROP) return Box(0.0, 0.0, tensorWidth.toDouble(), tensorHeight.toDouble())
        val width = if (isWiderThanTensor) tensorWidth else scaled(uprightWidth, tensorHeight, uprightHeight)
        val height = if (isWiderThanTensor) scaled(uprightHeight, tensorWidth, uprightWidth) else tensorHeight
        val left = (tensorWidth - width) / 2
        val top = (tensorHeight - height) / 2
        return Box(left.toDouble(), top.toDouble(), (left + width).toDouble(), (top + height).toDouble())
    }

    public companion object {
        /** Pixels of the longest side of a frame or picture. */
        public const val MAX_FRAME_SIDE: Int = 16384

        /** Pixels of the longest side of a model's input. */
        public const val MAX_TENSOR_SIDE: Int = 4096

        /** RGB of the bars of [Framing.FIT]: the mean of ImageNet, which the network's normalisation makes zero. */
        public val PADDING: List<Int> = listOf(124, 116, 104)

        private fun scaled(side: Int, numerator: Int, denominator: Int): Int =
            (side.toDouble() * numerator / denominator).roundToInt().coerceAtLeast(1)

        private fun checkSize(what: String, width: Int, height: Int, most: Int) {
            if (width !in 1..most || height !in 1..most) {
                throw FrameException(
                    FrameFault.BAD_SHAPE,
                    "A $what of $width x $height pixels cannot be used; choose sides from 1 to $most.",
                )
            }
        }
    }
}
