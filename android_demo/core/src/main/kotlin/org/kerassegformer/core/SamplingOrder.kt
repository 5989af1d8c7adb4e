package org.kerassegformer.core

/**
 * In which order the pixels of the tensor are made: along the rows of the frame, however it is turned.
 *
 * Rows of the frame are read from memory as they lie; a line of output pixels made of them is a row of the tensor, or,
 * with a turn by a quarter, a column.
 */
internal class SamplingOrder(private val geometry: FrameGeometry) {
    private val left = geometry.content.left.toInt()
    private val top = geometry.content.top.toInt()
    private val columns = geometry.content.width.toInt()
    private val rows = geometry.content.height.toInt()
    private val isSwapped = geometry.rotation.swapsSides

    /** Lines of output pixels, and pixels of each. */
    val lines = if (isSwapped) columns else rows
    val pixels = if (isSwapped) rows else columns

    /** Number of the first pixel in the tensor, and what is added from line to line and from pixel to pixel. */
    val firstPixel = top * geometry.tensorWidth + left
    val lineStep = if (isSwapped) 1 else geometry.tensorWidth
    val pixelStep = if (isSwapped) geometry.tensorWidth else 1

    /**
     * From pixels of a line to columns of a plane.
     *
     * @param subsampling pixels of the frame for each sample of the plane
     */
    fun across(subsampling: Int): Axis {
        val runsBackwards = when (geometry.rotation) {
            Rotation.NONE -> geometry.mirror
            Rotation.HALF -> !geometry.mirror
            Rotation.CLOCKWISE_90 -> false
            Rotation.CLOCKWISE_270 -> true
        }
        return axis(pixels, runsAlongUprightRows = !isSwapped, runsBackwards, geometry.frameWidth, subsampling)
    }

    /** From lines to rows of a plane. */
    fun down(subsampling: Int): Axis {
        val runsBackwards = when (geometry.rotation) {
            Rotation.NONE -> false
            Rotation.HALF -> true
            Rotation.CLOCKWISE_90 -> !geometry.mirror
            Rotation.CLOCKWISE_270 -> geometry.mirror
        }
        return axis(lines, runsAlongUprightRows = isSwapped, runsBackwards, geometry.frameHeight, subsampling)
    }

    private fun axis(
        count: Int,
        runsAlongUprightRows: Boolean,
        runsBackwards: Boolean,
        frameSide: Int,
        subsampling: Int,
    ): Axis {
        val source = geometry.source
        val start = if (runsAlongUprightRows) source.left else source.top
        val end = if (runsAlongUprightRows) source.right else source.bottom
        return Axis.of(
            count,
            start = (if (runsBackwards) frameSide - start else start) / subsampling,
            end = (if (runsBackwards) frameSide - end else end) / subsampling,
            samples = (frameSide + subsampling - 1) / subsampling,
        )
    }
}
