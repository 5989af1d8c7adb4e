package org.kerassegformer.demo.ui

import org.junit.Assert.assertArrayEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Tracks the top left and top right corners of the untransformed preview. */
@RunWith(RobolectricTestRunner::class)
internal class PreviewTransformTest {
    private fun corners(width: Int, height: Int, degrees: Int): FloatArray {
        val points = floatArrayOf(0f, 0f, width.toFloat(), 0f)
        PreviewTransform.of(width, height, degrees).mapPoints(points)
        return points
    }

    @Test
    fun `nothing is rotated in the natural orientation`() =
        assertArrayEquals(floatArrayOf(0f, 0f, 300f, 0f), corners(300, 400, 0), .01f)

    @Test
    fun `a display rotated by 90 degrees is compensated`() =
        assertArrayEquals(floatArrayOf(0f, 300f, 0f, 0f), corners(400, 300, 90), .01f)

    @Test
    fun `a display rotated by 180 degrees is compensated`() =
        assertArrayEquals(floatArrayOf(300f, 400f, 0f, 400f), corners(300, 400, 180), .01f)

    @Test
    fun `a display rotated by 270 degrees is compensated`() =
        assertArrayEquals(floatArrayOf(400f, 0f, 400f, 300f), corners(400, 300, 270), .01f)
}
