package org.kerassegformer.core

/** By which power of two to shrink a picture while it is decoded (`BitmapFactory.Options.inSampleSize`). */
public object PictureSampling {
    /**
     * The largest power with which both sides stay at least those of the tensor.
     *
     * The bilinear scaling that remains is by less than two in one direction, so that hardly a pixel is left out.
     *
     * @throws FrameException [FrameFault.BAD_SHAPE]: a side is less than 1
     */
    public fun sampleSize(width: Int, height: Int, tensorWidth: Int, tensorHeight: Int): Int {
        if (minOf(width, height, tensorWidth, tensorHeight) < 1) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "$width x $height pixels cannot become $tensorWidth x $tensorHeight; choose another picture.",
            )
        }
        var size = 1
        while (width / (2 * size) >= tensorWidth && height / (2 * size) >= tensorHeight) size *= 2
        return size
    }
}
