package org.kerassegformer.demo.ui

import android.graphics.Matrix

/**
 * How a `TextureView` has to draw the camera's buffer so that it is upright.
 *
 * The view turns the buffer for the natural orientation of the device and stretches it over itself. What is missing is
 * the turn of the display, and the stretch that makes up for the changed sides.
 */
internal object PreviewTransform {
    /**
     * @param width of the view in pixels, of the shape of the upright frame
     * @param height of the view
     * @param displayDegrees turn of the display from the natural orientation, a multiple of 90
     */
    fun of(width: Int, height: Int, displayDegrees: Int): Matrix {
        val matrix = Matrix()
        val centreX = width / 2f
        val centreY = height / 2f
        if (displayDegrees % HALF_TURN != 0) {
            matrix.setScale(height.toFloat() / width, width.toFloat() / height, centreX, centreY)
        }
        matrix.postRotate(-displayDegrees.toFloat(), centreX, centreY)
        return matrix
    }

    private const val HALF_TURN = 180
}
