package org.kerassegformer.demo.pictures

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.graphics.Bitmap
import android.graphics.Color
import android.net.Uri
import android.provider.MediaStore
import android.system.ErrnoException
import android.system.OsConstants
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.demo.ui.FakeDocuments
import org.kerassegformer.demo.ui.StreetScene
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.IOException
import java.io.OutputStream

/** A gallery in one folder that records its calls. */
internal class FakeGallery : ContentProvider() {
    val told = ArrayList<String>()

    override fun onCreate(): Boolean = true

    override fun insert(uri: Uri, values: ContentValues?): Uri {
        told += "insert pending=${values!![MediaStore.Images.Media.IS_PENDING]} " +
            "in ${values[MediaStore.Images.Media.RELATIVE_PATH]}"
        return Uri.withAppendedPath(uri, "7")
    }

    override fun update(uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?): Int {
        told += "update pending=${values!![MediaStore.Images.Media.IS_PENDING]}"
        return 1
    }

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?): Int {
        told += "delete"
        return 1
    }

    override fun query(u: Uri, p: Array<String>?, s: String?, a: Array<String>?, o: String?): Cursor? = null

    override fun getType(uri: Uri): String = "image/jpeg"
}

@RunWith(RobolectricTestRunner::class)
internal class PictureGalleryTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val provider: FakeGallery =
        Robolectric.setupContentProvider(FakeGallery::class.java, MediaStore.AUTHORITY)
    private val resolver = RuntimeEnvironment.getApplication().contentResolver
    private val gallery = PictureGallery(resolver)
    private val bitmap = Bitmap.createBitmap(80, 60, Bitmap.Config.ARGB_8888).apply { eraseColor(Color.MAGENTA) }

    @Test
    fun `an image is pending until it is complete`() {
        val file = folder.newFile()
        val place = Uri.parse("content://media/external_primary/images/media/7")
        shadowOf(resolver).registerOutputStreamSupplier(place) { file.outputStream() }
        gallery.save(bitmap, "name")
        assertEquals(listOf("insert pending=1 in Pictures/SegFormer", "update pending=0"), provider.told)
        val saved = StreetScene.decode(file)
        assertEquals(80, saved.width)
        assertEquals(255.0, Color.red(saved.getPixel(40, 30)).toDouble(), 3.0)
    }

    @Test
    fun `no partial file remains if writing fails`() {
        val error = assertThrows(SaveException::class.java) { gallery.save(bitmap, "name") }
        assertEquals(SaveProblem.UNWRITABLE, error.problem)
        assertEquals("delete", provider.told.last())
    }

    @Test
    fun `a full disk is reported as such`() {
        val full = IOException("write failed", ErrnoException("write", OsConstants.ENOSPC))
        val error = assertThrows(SaveException::class.java) {
            gallery.saveDocument(FakeDocuments.newAt(folder.newFile())) { throw full }
        }
        assertEquals(SaveProblem.FULL, error.problem)
        assertEquals(false, PictureGallery.isFull(IOException("read only")))
    }

    @Test
    fun `writes to a document that the user created`() {
        val file = folder.newFile()
        gallery.saveDocument(FakeDocuments.newAt(file)) { stream: OutputStream -> stream.write("{}".toByteArray()) }
        assertEquals("{}", file.readText())
    }
}
