package org.kerassegformer.core

/** Computes the subsampling factor for decoding an image (`BitmapFactory.Options.inSampleSize`). */
public object PictureSampling {
    /**
     * Returns the largest power of two that keeps both sides at least as long as those of the tensor.
     *
     * The remaining bilinear scaling is by a factor below two in one direction, which avoids aliasing.
     *
     * @throws FrameException [FrameFault.BAD_SHAPE]: a side is less than 1
     */
    public fun sampleSize(width: Int, height: Int, tensorWidth: Int, tensorHeight: Int): Int {
        if (minOf(width, height, tensorWidth, tensorHeight) < 1) {
            throw FrameException(
                FrameFault.BAD_SHAPE,
                "$width x $height pixels cannot be scaled to $tensorWidth x $tensorHeight; choose another image.",
            )
        }
        var size = 1
        while (width / (2 * size) >= tensorWidth && height / (2 * size) >= tensorHeight) size *= 2
        return size
    }
}
