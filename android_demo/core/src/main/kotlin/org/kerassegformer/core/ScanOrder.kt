package org.kerassegformer.core

/**
 * Order in which the pixels of the tensor are computed: along the rows of the frame, for any rotation.
 *
 * The rows of the frame are read sequentially. A line of output pixels is a row of the tensor, or a column if the frame
 * is rotated by 90 or 270 degrees.
 */
internal class ScanOrder(private val geometry: FrameGeometry) {
    private val left = geometry.content.left.toInt()
    private val top = geometry.content.top.toInt()
    private val columns = geometry.content.width.toInt()
    private val rows = geometry.content.height.toInt()
    private val isSwapped = geometry.rotation.swapsSides

    /** Number of output lines, and of pixels per line. */
    val lines = if (isSwapped) columns else rows
    val pixels = if (isSwapped) rows else columns

    /** Index of the first pixel in the tensor, and the steps between lines and between pixels. */
    val firstPixel = top * geometry.tensorWidth + left
    val lineStep = if (isSwapped) 1 else geometry.tensorWidth
    val pixelStep = if (isSwapped) geometry.tensorWidth else 1

    /**
     * Returns the axis from the pixels of a line to the columns of a plane.
     *
     * @param subsampling pixels of the frame per sample of the plane
     */
    fun across(subsampling: Int): ResamplingAxis {
        val runsBackwards = when (geometry.rotation) {
            Rotation.NONE -> geometry.mirror
            Rotation.HALF -> !geometry.mirror
            Rotation.CLOCKWISE_90 -> false
            Rotation.CLOCKWISE_270 -> true
        }
        return axis(pixels, runsAlongUprightRows = !isSwapped, runsBackwards, geometry.frameWidth, subsampling)
    }

    /** Returns the axis from lines to the rows of a plane. */
    fun down(subsampling: Int): ResamplingAxis {
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
    ): ResamplingAxis {
        val source = geometry.source
        val start = if (runsAlongUprightRows) source.left else source.top
        val end = if (runsAlongUprightRows) source.right else source.bottom
        return ResamplingAxis.of(
            count,
            start = (if (runsBackwards) frameSide - start else start) / subsampling,
            end = (if (runsBackwards) frameSide - end else end) / subsampling,
            samples = (frameSide + subsampling - 1) / subsampling,
        )
    }
}
