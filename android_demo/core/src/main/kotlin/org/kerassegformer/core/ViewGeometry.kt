package org.kerassegformer.core

import kotlin.math.max
import kotlin.math.min

/**
 * Where the upright picture and the labels of the model lie in a view.
 *
 * @property framing how the view shows the upright picture: cropped to fill the view, or whole
 * @throws FrameException [FrameFault.BAD_SHAPE]: the view has no pixels
 */
public data class ViewGeometry(
    public val frame: FrameGeometry,
    public val viewWidth: Int,
    public val viewHeight: Int,
    public val framing: Framing,
) {
    init {
        if (viewWidth < 1 || viewHeight < 1) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "A view of $viewWidth x $viewHeight pixels shows nothing; wait for its layout.",
            )
        }
    }

    private val upright = Box(0.0, 0.0, frame.uprightWidth.toDouble(), frame.uprightHeight.toDouble())

    /** The upright picture in the view's pixels; larger than the view where it is cropped. */
    public val picture: Box = makePicture()

    /** The whole tensor, bars included, in the view's pixels: where a bitmap of all labels is to be drawn. */
    public val tensor: Box = makeTensor()

    /** From the view to the tensor. */
    public fun toTensor(point: Point): Point = frame.toTensor(picture.mapTo(upright, point))

    /** From the tensor to the view. */
    public fun toView(point: Point): Point = upright.mapTo(picture, frame.toUpright(point))

    /**
     * The number of the label under a place of the view.
     *
     * @return index into the rows of a map of that size, or -1 where the model saw nothing
     */
    public fun labelIndex(x: Double, y: Double, mapWidth: Int, mapHeight: Int): Int {
        val place = toTensor(Point(x, y))
        if (place !in frame.content) return -1
        val column = min((place.x * mapWidth / frame.tensorWidth).toInt(), mapWidth - 1)
        val row = min((place.y * mapHeight / frame.tensorHeight).toInt(), mapHeight - 1)
        return row * mapWidth + column
    }

    private fun makePicture(): Box {
        val across = viewWidth / upright.width
        val down = viewHeight / upright.height
        val scale = if (framing == Framing.CROP) max(across, down) else min(across, down)
        val width = upright.width * scale
        val height = upright.height * scale
        val left = (viewWidth - width) / 2
        val top = (viewHeight - height) / 2
        return Box(left, top, left + width, top + height)
    }

    private fun makeTensor(): Box {
        val start = toView(Point(0.0, 0.0))
        val end = toView(Point(frame.tensorWidth.toDouble(), frame.tensorHeight.toDouble()))
        return Box(start.x, start.y, end.x, end.y)
    }
}
