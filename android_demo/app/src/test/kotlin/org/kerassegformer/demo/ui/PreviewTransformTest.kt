package org.kerassegformer.demo.ui

import org.junit.Assert.assertArrayEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Follows the top left and top right corners of what the view shows by itself: the buffer, natural side up. */
@RunWith(RobolectricTestRunner::class)
internal class PreviewTransformTest {
    private fun corners(width: Int, height: Int, degrees: Int): FloatArray {
        val points = floatArrayOf(0f, 0f, width.toFloat(), 0f)
        PreviewTransform.of(width, height, degrees).mapPoints(points)
        return points
    }

    @Test
    fun `nothing is turned in the natural orientation`() =
        assertArrayEquals(floatArrayOf(0f, 0f, 300f, 0f), corners(300, 400, 0), .01f)

    @Test
    fun `a display turned to the left is turned back`() =
        assertArrayEquals(floatArrayOf(0f, 300f, 0f, 0f), corners(400, 300, 90), .01f)

    @Test
    fun `a display upside down is turned back`() =
        assertArrayEquals(floatArrayOf(300f, 400f, 0f, 400f), corners(300, 400, 180), .01f)

    @Test
    fun `a display turned to the right is turned back`() =
        assertArrayEquals(floatArrayOf(400f, 0f, 400f, 300f), corners(400, 300, 270), .01f)
}
