package org.kerassegformer.core

import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

class OrientationTest {
    /** The image ABC / DEF as stored for each value of the tag (figure of the EXIF standard). */
    private val stored = listOf(
        listOf("ABC", "DEF"), listOf("CBA", "FED"), listOf("FED", "CBA"), listOf("DEF", "ABC"),
        listOf("AD", "BE", "CF"), listOf("CF", "BE", "AD"), listOf("FC", "EB", "DA"), listOf("DA", "EB", "FC"),
    )

    @Test
    fun everyExifOrientationBecomesUpright() {
        for ((index, rows) in stored.withIndex()) {
            val orientation = Orientation.ofExif(index + 1)
            val geometry =
                FrameGeometry(rows[0].length, rows.size, 3, 2, orientation.rotation, orientation.mirror)
            val pixels = rows.joinToString("").map { (0xFF shl 24) or (it.code * 0x10101) }.toIntArray()
            val converter = PictureToInput(geometry)
            val input = converter.newInput()
            converter.convert(pixels, input)
            assertArrayEquals("EXIF ${index + 1}", "AAABBBCCCDDDEEEFFF".toByteArray(), input.bytes())
        }
    }

    @Test
    fun undoLeadsToTheStoredPlaceOfEachPixel() {
        for ((index, rows) in stored.withIndex()) {
            val orientation = Orientation.ofExif(index + 1)
            for ((row, letters) in listOf("ABC", "DEF").withIndex()) for ((column, letter) in letters.withIndex()) {
                val place = orientation.undo(Point((column + .5) / 3, (row + .5) / 2))
                val found = rows[(place.y * rows.size).toInt()][(place.x * rows[0].length).toInt()]
                assertEquals("EXIF ${index + 1}", letter, found)
            }
        }
    }

    @Test
    fun unknownValuesAreUpright() {
        for (value in listOf(Int.MIN_VALUE, -1, 0, 9, Int.MAX_VALUE)) {
            assertEquals(Orientation(Rotation.NONE, mirror = false), Orientation.ofExif(value))
        }
    }

    @Test
    fun cameraRotationCompensatesTheDisplay() {
        fun back(display: Int) = Orientation.ofCamera(90, display, front = false)
        assertEquals(Orientation(Rotation.CLOCKWISE_90, mirror = false), back(0))
        assertEquals(Orientation(Rotation.NONE, mirror = false), back(90))
        assertEquals(Orientation(Rotation.CLOCKWISE_270, mirror = false), back(180))
        fun front(display: Int) = Orientation.ofCamera(270, display, front = true)
        assertEquals(Orientation(Rotation.CLOCKWISE_270, mirror = true), front(0))
        assertEquals(Orientation(Rotation.NONE, mirror = true), front(90))
        assertThrows(FrameException::class.java) { Orientation.ofCamera(45, 0, front = true) }
    }
}
