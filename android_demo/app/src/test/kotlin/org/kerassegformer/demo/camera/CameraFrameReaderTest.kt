package org.kerassegformer.demo.camera

import android.graphics.Bitmap
import android.graphics.Color
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.TensorType
import org.kerassegformer.demo.pictures.SegmentedPicture
import org.kerassegformer.demo.ui.FakeYuvImage
import org.kerassegformer.demo.ui.StreetScene
import org.robolectric.RobolectricTestRunner
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs

@RunWith(RobolectricTestRunner::class)
internal class CameraFrameReaderTest {
    private val upright = StreetScene.upright()
    private val reader = CameraFrameReader()

    @Test
    fun `the image is the upright frame`() {
        val picture = SegmentedPicture(Bitmap.createBitmap(480, 640, Bitmap.Config.ARGB_8888))
        val frame = FakeYuvImage(StreetScene.planesOf(upright, 90))
        reader.writePicture(frame, Orientation.ofCamera(90, 0, front = false), picture)
        assertTrue(difference(upright, picture.picture) { x, y -> x to y } < 6.0)
    }

    @Test
    fun `the image of a front camera is mirrored`() {
        val picture = SegmentedPicture(Bitmap.createBitmap(480, 640, Bitmap.Config.ARGB_8888))
        val frame = FakeYuvImage(StreetScene.planesOf(upright, 270))
        reader.writePicture(frame, Orientation.ofCamera(270, 0, front = true), picture)
        assertTrue(difference(upright, picture.picture) { x, y -> 479 - x to y } < 6.0)
    }

    @Test
    fun `the image is upright on a rotated display`() {
        // The sensor rotates with the device: 90 degrees of sensor and display cancel out.
        val picture = SegmentedPicture(Bitmap.createBitmap(480, 640, Bitmap.Config.ARGB_8888))
        val frame = FakeYuvImage(StreetScene.planesOf(upright, 0))
        reader.writePicture(frame, Orientation.ofCamera(90, 90, front = false), picture)
        assertTrue(difference(upright, picture.picture) { x, y -> x to y } < 6.0)
    }

    @Test
    fun `the model sees the whole frame, as bytes or as floats`() {
        for (type in listOf(TensorType.UINT8, TensorType.FLOAT32)) {
            val spec = InputSpec(512, 512, type)
            val input = ByteBuffer.allocateDirect(spec.byteCount).order(ByteOrder.nativeOrder())
            val frame = FakeYuvImage(StreetScene.planesOf(upright, 90))
            val geometry = reader.writeInput(frame, Orientation.ofCamera(90, 0, front = false), input, spec)
            assertEquals(384.0, geometry.content.width, 0.0)
            assertEquals(512.0, geometry.content.height, 0.0)
            assertEquals(480, geometry.uprightWidth)
            val middle = (256 * 512 + 256) * 3
            val bytes = type == TensorType.UINT8
            val red = if (bytes) input.get(middle).toInt() and 0xFF else input.getFloat(middle * 4).toInt()
            assertTrue(abs(red - Color.red(upright.getPixel(240, 320))) < 25)
        }
    }

    /** Mean difference of a channel; edges differ because of subsampled chroma. */
    private fun difference(a: Bitmap, b: Bitmap, place: (Int, Int) -> Pair<Int, Int>): Double {
        var sum = 0.0
        var count = 0
        for (y in 8 until a.height - 8 step 5) {
            for (x in 8 until a.width - 8 step 5) {
                val (otherX, otherY) = place(x, y)
                val one = a.getPixel(x, y)
                val other = b.getPixel(otherX, otherY)
                sum += abs(Color.red(one) - Color.red(other)) + abs(Color.green(one) - Color.green(other)) +
                    abs(Color.blue(one) - Color.blue(other))
                count += 3
            }
        }
        return sum / count
    }
}
