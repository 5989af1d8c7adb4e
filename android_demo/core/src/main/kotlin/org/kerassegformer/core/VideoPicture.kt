package org.kerassegformer.core

/** The size of a video, in pixels. */
public data class VideoSize(public val width: Int, public val height: Int) {
    public companion object {
        /** Encoders want sides of whole macroblocks. */
        public const val BLOCK: Int = 16

        /** The longer side of 1080p, which encoders of all devices with Android 8 or newer can do. */
        private const val MOST_SIDE = 1920

        /** Returns the size of the video of pictures: as large as they are, but for the rest of a macroblock. */
        public fun of(width: Int, height: Int): VideoSize {
            val scale = minOf(1.0, MOST_SIDE / maxOf(width, height).toDouble())
            fun side(length: Int) = maxOf(BLOCK, (length * scale).toInt() / BLOCK * BLOCK)
            return VideoSize(side(width), side(height))
        }
    }

    /** Bits per second: a tenth of a bit for each pixel of 30 frames. */
    public val bitRate: Int get() = width * height * BITS_PER_PIXEL_SECOND
}

private const val BITS_PER_PIXEL_SECOND = 6

/**
 * Converts a picture to the planes of an encoder, in limited range of BT.601, which players assume of sizes up to SD.
 *
 * @param argb colours in row-major order, as of `Bitmap.getPixels`; both sides are even
 */
public fun fillYuv(argb: IntArray, size: VideoSize, y: Plane, u: Plane, v: Plane) {
    for (row in 0 until size.height step 2) {
        for (column in 0 until size.width step 2) {
            var red = 0
            var green = 0
            var blue = 0
            for (index in 0 until BLOCK_PIXELS) {
                val x = column + index % 2
                val line = row + index / 2
                val color = argb[line * size.width + x]
                val r = color shr 16 and BYTE
                val g = color shr 8 and BYTE
                val b = color and BYTE
                y.put(x, line, (16 shl SHIFT) + 16_829 * r + 33_039 * g + 6_416 * b)
                red += r
                green += g
                blue += b
            }
            // Four pixels share a sample, so that the sums have two bits more.
            u.put(column / 2, row / 2, (128 shl SHIFT) + (-9_714 * red - 19_070 * green + 28_784 * blue) / BLOCK_PIXELS)
            v.put(column / 2, row / 2, (128 shl SHIFT) + (28_784 * red - 24_103 * green - 4_681 * blue) / BLOCK_PIXELS)
        }
    }
}

private const val SHIFT = 16
private const val HALF = 1 shl (SHIFT - 1)
private const val BYTE = 255
private const val BLOCK_PIXELS = 4

private fun Plane.put(x: Int, y: Int, value: Int) {
    buffer.put(buffer.position() + y * rowStride + x * pixelStride, ((value + HALF) shr SHIFT).toByte())
}
