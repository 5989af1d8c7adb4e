package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Color
import android.net.Uri
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.demo.ui.FakeDocuments
import org.kerassegformer.demo.ui.StreetScene
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer

@RunWith(RobolectricTestRunner::class)
internal class PictureReaderTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val resolver = RuntimeEnvironment.getApplication().contentResolver
    private val reader = PictureReader(resolver)

    private fun read(file: File): Bitmap = reader.read(FakeDocuments.of(file))

    private fun problemOf(file: File): PictureProblem =
        assertThrows(PictureException::class.java) { read(file) }.problem

    private fun fileOf(bytes: ByteArray, name: String = "picture"): File =
        folder.newFile(name).apply { writeBytes(bytes) }

    private fun encoded(bitmap: Bitmap, format: Bitmap.CompressFormat): ByteArray =
        java.io.ByteArrayOutputStream().also { bitmap.compress(format, 95, it) }.toByteArray()

    /** A JPEG file whose EXIF data only has an orientation. */
    private fun jpegWith(orientation: Int, bitmap: Bitmap): ByteArray {
        val jpeg = encoded(bitmap, Bitmap.CompressFormat.JPEG)
        val tiff = ByteBuffer.allocate(26)
            .put("MM".toByteArray()).putShort(42).putInt(8)
            .putShort(1).putShort(0x112).putShort(3).putInt(1).putShort(orientation.toShort()).putShort(0).putInt(0)
        val segment = "Exif\u0000\u0000".toByteArray() + tiff.array()
        val length = segment.size + 2
        val header = byteArrayOf(0xFF.toByte(), 0xE1.toByte(), (length shr 8).toByte(), length.toByte())
        return jpeg.copyOfRange(0, 2) + header + segment + jpeg.copyOfRange(2, jpeg.size)
    }

    /** Red, green, blue and white corners, in reading order. */
    private fun corners(): Bitmap {
        val bitmap = Bitmap.createBitmap(64, 32, Bitmap.Config.ARGB_8888)
        for (y in 0 until 32) {
            for (x in 0 until 64) {
                val row = if (y < 16) listOf(Color.RED, Color.GREEN) else listOf(Color.BLUE, Color.WHITE)
                bitmap.setPixel(x, y, row[x / 32])
            }
        }
        return bitmap
    }

    private fun cornersOf(bitmap: Bitmap): String {
        val w = bitmap.width
        val h = bitmap.height
        return listOf(4 to 4, w - 5 to 4, 4 to h - 5, w - 5 to h - 5).map { (x, y) ->
            val c = bitmap.getPixel(x, y)
            when {
                Color.green(c) > 128 && Color.red(c) > 128 -> 'w'
                Color.red(c) > 128 -> 'r'
                Color.green(c) > 128 -> 'g'
                else -> 'b'
            }
        }.joinToString("")
    }

    @Test
    fun `all EXIF orientations become upright`() {
        // Expected corners of an image stored as r g / b w, for each orientation.
        val expected = mapOf(
            0 to "rgbw", 1 to "rgbw", 2 to "grwb", 3 to "wbgr", 4 to "bwrg",
            5 to "rbgw", 6 to "brwg", 7 to "wgbr", 8 to "gwrb", 9 to "rgbw",
        )
        for ((orientation, corners) in expected) {
            val bitmap = read(fileOf(jpegWith(orientation, corners()), "exif$orientation.jpg"))
            assertEquals("orientation $orientation", corners, cornersOf(bitmap))
            assertEquals("orientation $orientation", orientation in 5..8, bitmap.height > bitmap.width)
        }
    }

    @Test
    fun `reads the image of the documentation unchanged`() {
        val bitmap = read(StreetScene.file)
        assertEquals(960, bitmap.width)
        assertEquals(540, bitmap.height)
        assertEquals(Bitmap.Config.ARGB_8888, bitmap.config)
        assertTrue(bitmap.sameAs(StreetScene.picture()))
    }

    @Test
    fun `a large image is subsampled and keeps its aspect ratio`() {
        val large = Bitmap.createBitmap(5000, 3000, Bitmap.Config.RGB_565).apply { eraseColor(Color.CYAN) }
        val bitmap = read(fileOf(encoded(large, Bitmap.CompressFormat.PNG)))
        assertEquals(PictureReader.LARGEST_SIDE, bitmap.width)
        assertEquals(.6 * PictureReader.LARGEST_SIDE, bitmap.height.toDouble(), 1.0)
        assertEquals(Color.CYAN, bitmap.getPixel(1000, 600))
    }

    @Test
    fun `a very long image is read`() {
        val long = Bitmap.createBitmap(9000, 8, Bitmap.Config.ARGB_8888)
        assertEquals(PictureReader.LARGEST_SIDE, read(fileOf(encoded(long, Bitmap.CompressFormat.PNG))).width)
    }

    @Test
    fun `a deleted file is missing`() = assertEquals(PictureProblem.MISSING, problemOf(File(folder.root, "gone")))

    @Test
    fun `a document without permission is missing`() {
        val uri = Uri.parse("content://documents.test/private")
        shadowOf(resolver).registerInputStreamSupplier(uri) { throw SecurityException("The right has ended.") }
        val error = assertThrows(PictureException::class.java) { reader.read(uri) }
        assertEquals(PictureProblem.MISSING, error.problem)
    }

    @Test
    fun `a document with a failing provider is corrupt`() {
        val uri = Uri.parse("content://documents.test/cloud")
        for (failure in listOf(IOException("The cloud is gone."), IllegalStateException("The provider has a bug."))) {
            shadowOf(resolver).registerInputStreamSupplier(uri) { throw failure }
            val error = assertThrows(PictureException::class.java) { reader.read(uri) }
            assertEquals(PictureProblem.CORRUPT, error.problem)
        }
    }

    @Test
    fun `a file that is not an image is corrupt`() {
        assertEquals(PictureProblem.CORRUPT, problemOf(fileOf(ByteArray(0), "empty")))
        assertEquals(PictureProblem.CORRUPT, problemOf(fileOf("{\"label_set\": {}}".toByteArray(), "text.jpg")))
        assertEquals(PictureProblem.CORRUPT, problemOf(fileOf(ByteArray(5_000) { it.toByte() }, "noise.png")))
    }

    @Test
    fun `a truncated file is corrupt or shown in part, never a crash`() {
        val whole = StreetScene.file.readBytes()
        for (length in listOf(2, 20, 200, 2_000, whole.size / 2)) {
            val file = fileOf(whole.copyOf(length), "cut$length.jpg")
            val result = runCatching { read(file) }
            val problem = result.exceptionOrNull()?.let { (it as PictureException).problem }
            assertTrue("$length bytes: $problem", problem == null || problem == PictureProblem.CORRUPT)
        }
    }
}
