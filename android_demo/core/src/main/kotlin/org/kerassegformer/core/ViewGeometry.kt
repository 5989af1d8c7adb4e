package org.kerassegformer.core

import kotlin.math.max
import kotlin.math.min

/**
 * Mapping between a view, the upright image and the model's labels.
 *
 * @property framing how the upright image is fitted to the view
 * @throws FrameException [FrameFault.BAD_SHAPE]: the view is empty
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
                "A view of $viewWidth x $viewHeight pixels is empty; wait for its layout.",
            )
        }
    }

    private val upright = Box(0.0, 0.0, frame.uprightWidth.toDouble(), frame.uprightHeight.toDouble())

    /** The upright image in view coordinates; larger than the view if it is cropped. */
    public val picture: Box = makePicture()

    /** The whole tensor, including padding, in view coordinates: where a bitmap of all labels is drawn. */
    public val tensor: Box = makeTensor()

    /** Maps a point of the view to the tensor. */
    public fun toTensor(point: Point): Point = frame.toTensor(picture.mapTo(upright, point))

    /** Maps a point of the tensor to the view. */
    public fun toView(point: Point): Point = upright.mapTo(picture, frame.toUpright(point))

    /**
     * Returns the index of the label at a point of the view.
     *
     * @return index into a map of that size in row-major order, or -1 outside the model's input
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
