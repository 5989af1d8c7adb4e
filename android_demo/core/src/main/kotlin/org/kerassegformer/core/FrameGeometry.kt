package org.kerassegformer.core

import kotlin.math.roundToInt

/** A clockwise rotation that makes a frame upright. */
public enum class Rotation(public val degrees: Int) {
    NONE(0),
    CLOCKWISE_90(90),
    HALF(180),
    CLOCKWISE_270(270),
    ;

    /** True if width and height are swapped. */
    public val swapsSides: Boolean get() = this == CLOCKWISE_90 || this == CLOCKWISE_270

    public companion object {
        /**
         * Returns the rotation for any multiple of 90 degrees, also negative or above 360.
         *
         * @throws FrameException [FrameFault.BAD_SHAPE]: not a multiple of 90
         */
        public fun of(degrees: Int): Rotation {
            if (degrees % 90 != 0) {
                throw FrameException(
                    FrameFault.BAD_SHAPE,
                    "A frame cannot be rotated by $degrees degrees; round to the nearest multiple of 90.",
                )
            }
            return entries[Math.floorMod(degrees / 90, 4)]
        }
    }
}

/** How an image is fitted to another aspect ratio. */
public enum class Framing {
    /** Centre crop: the largest centred part with that ratio fills the target. */
    CROP,

    /** Letterbox: the whole image is shown, with padding on two sides. */
    FIT,
}

/** A point in pixels; the centre of the first pixel is at (0.5, 0.5). */
public data class Point(public val x: Double, public val y: Double)

/** A rectangle in pixels; right and bottom are exclusive. */
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

    /** Maps a point by scaling this box onto another. */
    public fun mapTo(other: Box, point: Point): Point = Point(
        other.left + (point.x - left) * other.width / width,
        other.top + (point.y - top) * other.height / height,
    )
}

/**
 * Mapping from the pixels of a frame to the model's input.
 *
 * The frame is rotated by [rotation] and then, if [mirror] is set, flipped horizontally, which gives the upright image.
 * Its region [source] is scaled into the region [content] of the tensor.
 *
 * @property frameWidth width in pixels, as delivered by the camera
 * @property frameHeight height in pixels
 * @throws FrameException [FrameFault.BAD_SHAPE]: a side of the frame is not in 1..[MAX_FRAME_SIDE], or one of the
 *   tensor not in 1..[MAX_TENSOR_SIDE]
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

    /** Width of the upright image. */
    public val uprightWidth: Int get() = if (rotation.swapsSides) frameHeight else frameWidth

    /** Height of the upright image. */
    public val uprightHeight: Int get() = if (rotation.swapsSides) frameWidth else frameHeight

    private val isWiderThanTensor = uprightWidth.toLong() * tensorHeight > uprightHeight.toLong() * tensorWidth

    /** The region of the upright image that the model sees. */
    public val source: Box = makeSource()

    /** The region of the tensor that [source] fills, in whole pixels; the rest has the colour [PADDING]. */
    public val content: Box = makeContent()

    /** Maps a point of the upright image to the tensor. */
    public fun toTensor(point: Point): Point = source.mapTo(content, point)

    /** Maps a point of the tensor to the upright image. */
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
        /** Maximum side of a frame or image, in pixels. */
        public const val MAX_FRAME_SIDE: Int = 16384

        /** Maximum side of a model's input, in pixels. */
        public const val MAX_TENSOR_SIDE: Int = 4096

        /** RGB of the padding of [Framing.FIT]: the ImageNet mean, which becomes zero by normalisation. */
        public val PADDING: List<Int> = listOf(124, 116, 104)

        private fun scaled(side: Int, numerator: Int, denominator: Int): Int =
            (side.toDouble() * numerator / denominator).roundToInt().coerceAtLeast(1)

        private fun checkSize(what: String, width: Int, height: Int, most: Int) {
            if (width !in 1..most || height !in 1..most) {
                throw FrameException(
                    FrameFault.BAD_SHAPE,
                    "A $what of $width x $height pixels is not supported; choose sides from 1 to $most.",
                )
            }
        }
    }
}
