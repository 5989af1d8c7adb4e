package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Color
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.demo.ui.CAMVID
import org.kerassegformer.demo.ui.StreetScene
import org.robolectric.RobolectricTestRunner
import kotlin.math.abs

@RunWith(RobolectricTestRunner::class)
internal class MaskPainterTest {
    private val painter = MaskPainter()
    private val street = SegmentedPicture(StreetScene.picture()).apply {
        geometry = FrameGeometry(960, 540, 512, 512, framing = Framing.FIT)
        label(StreetScene.labels(), CAMVID)
    }
    private val car = CAMVID.names.indexOf("Car")

    @Test
    fun `shares exclude the padding`() {
        painter.paint(street)
        val map = StreetScene.labels()
        val inside = (28 * 128 until 100 * 128).map { map.labels[it] }
        val expected = inside.groupingBy { it }.eachCount().mapValues { it.value / inside.size.toFloat() }
        assertEquals(expected.keys, street.shares.map { it.index }.toSet())
        street.shares.forEach { assertEquals(expected.getValue(it.index), it.share, 1e-6f) }
    }

    @Test
    fun `the mask has the colours of the labels`() {
        painter.paint(street)
        val mask = checkNotNull(street.mask)
        val map = StreetScene.labels()
        var same = 0
        var total = 0
        for (y in 30 until 98) {
            for (x in 2 until 126) {
                total++
                // The centre of the four pixels of a label.
                val color = mask.getPixel(x * 4 + 2, y * 4 + 2)
                val expected = CAMVID.colors[map[x, y]]
                val red = abs(Color.red(color) - Color.red(expected))
                val blue = abs(Color.blue(color) - Color.blue(expected))
                if (red < 3 && blue < 3) same++
            }
        }
        assertTrue("$same of $total", same > .97 * total)
    }

    @Test
    fun `selecting a class leaves the rest transparent`() {
        painter.paint(street, onlyClass = car)
        val mask = checkNotNull(street.mask)
        val colors = pixelsOf(mask).filter { Color.alpha(it) == 255 }.toSet()
        assertEquals(setOf(CAMVID.colors[car]), colors)
        assertTrue(street.anchors.all { it.index == car })
        assertTrue("The legend still lists all classes.", street.shares.size > 3)
    }

    @Test
    fun `anchors lie on their class`() {
        painter.paint(street)
        val map = StreetScene.labels()
        assertTrue(street.anchors.isNotEmpty())
        for (anchor in street.anchors) assertEquals(anchor.index, map[anchor.x, anchor.y])
    }

    @Test
    fun `the bitmap is reused, except for another image`() {
        painter.paint(street)
        val first = street.mask
        painter.paint(street)
        assertSame(first, street.mask)
        val copy = street.copyLabels()
        painter.paint(copy)
        assertNotSame(first, copy.mask)
    }

    private fun pixelsOf(bitmap: Bitmap): IntArray {
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        return pixels
    }

    @Test
    fun `the saved image is composed with its mask`() {
        painter.paint(street)
        val bare = PictureComposer.compose(street, opacity = 0f)
        assertTrue(pixelsOf(bare).contentEquals(pixelsOf(street.picture)))
        val full = PictureComposer.compose(street, opacity = 1f)
        assertEquals(960, full.width)
        assertEquals(540, full.height)
        // The road before the car.
        val road = CAMVID.colors[CAMVID.names.indexOf("Road")]
        assertEquals(road, full.getPixel(500, 500))
    }

    @Test
    fun `borders are as sharp as the image`() {
        painter.paint(street)
        val large = Bitmap.createScaledBitmap(street.picture, 3840, 2160, true)
        large.eraseColor(Color.BLACK)

        val composed = PictureComposer.compose(street, opacity = 1f, large)

        assertSame("a bitmap of its own is drawn on", large, composed)
        val colors = pixelsOf(composed).toSet()
        assertTrue("no mixture of classes: ${colors.size} colours", CAMVID.colors.containsAll(colors))
    }

    @Test
    fun `a selected class is the only one in the saved image`() {
        painter.paint(street, onlyClass = car)
        val composed = PictureComposer.compose(street, opacity = 1f)
        val changed = pixelsOf(composed).zip(pixelsOf(street.picture)).count { (after, before) -> after != before }
        assertTrue("$changed", changed in 1 until composed.width * composed.height / 2)
        assertTrue(CAMVID.colors[car] in pixelsOf(composed).toSet())
    }
}
