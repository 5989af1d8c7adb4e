package org.kerassegformer.demo.ui

import android.graphics.Matrix

/**
 * Transform of a `TextureView` that makes the camera preview upright.
 *
 * The view rotates the buffer for the natural orientation of the device and stretches it to its own size. The transform
 * adds the rotation of the display and compensates the stretch.
 */
internal object PreviewTransform {
    /**
     * @param width width of the view in pixels; its aspect ratio is that of the upright frame
     * @param height height of the view
     * @param displayDegrees rotation of the display from the natural orientation, a multiple of 90
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
