package org.kerassegformer.demo.pictures

import android.content.ContentResolver
import android.content.ContentValues
import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import android.os.Environment
import android.provider.MediaStore
import android.system.ErrnoException
import android.system.OsConstants
import java.io.FileNotFoundException
import java.io.IOException
import java.io.OutputStream
import org.kerassegformer.demo.RequiresSdk

/** What went wrong while a file was saved. */
internal enum class SaveProblem {
    /** No space is left. */
    FULL,

    /** The place cannot be written to. */
    UNWRITABLE,
}

/** A file that was not saved, and why. Nothing of it remains. */
internal class SaveException(val problem: SaveProblem, cause: Throwable? = null) :
    Exception("Not saved: ${problem.name.lowercase()}.", cause)

/** Saves pictures where other apps find them. All calls take a while: not for the main thread. */
internal class PictureGallery(private val resolver: ContentResolver) {
    /**
     * Saves [bitmap] as a JPEG file in the gallery. Others see it only once it is whole.
     *
     * @param name file name without ending
     * @return its address
     * @throws SaveException nothing was left behind
     */
    @RequiresSdk(Build.VERSION_CODES.Q)
    fun save(bitmap: Bitmap, name: String): Uri {
        val values = ContentValues().apply {
            put(MediaStore.Images.Media.DISPLAY_NAME, "$name.jpg")
            put(MediaStore.Images.Media.MIME_TYPE, MIME_TYPE)
            put(MediaStore.Images.Media.RELATIVE_PATH, "${Environment.DIRECTORY_PICTURES}/$FOLDER")
            put(MediaStore.Images.Media.IS_PENDING, 1)
        }
        return guarded {
            val collection = MediaStore.Images.Media.getContentUri(MediaStore.VOLUME_EXTERNAL_PRIMARY)
            val uri = resolver.insert(collection, values) ?: throw IOException("The gallery takes no pictures.")
            writeOrRemove(uri) {
                write(uri, bitmap)
                resolver.update(uri, ContentValues().apply { put(MediaStore.Images.Media.IS_PENDING, 0) }, null, null)
            }
            uri
        }
    }

    /**
     * Writes [bitmap] as a JPEG file into a document that the user has just made, which is removed again on errors.
     *
     * @throws SaveException nothing was left behind
     */
    fun saveTo(document: Uri, bitmap: Bitmap): Unit = saveDocument(document) { writeJpeg(bitmap, it) }

    /** Writes anything else, [write], into such a document. @throws SaveException nothing was left behind */
    fun saveDocument(document: Uri, write: (OutputStream) -> Unit): Unit = guarded {
        writeOrRemove(document) { open(document).use(write) }
    }

    private fun write(uri: Uri, bitmap: Bitmap) = open(uri).use { writeJpeg(bitmap, it) }

    private fun open(uri: Uri): OutputStream =
        resolver.openOutputStream(uri) ?: throw FileNotFoundException("$uri")

    private fun writeJpeg(bitmap: Bitmap, stream: OutputStream) {
        // A full disk shows in the result alone: the encoder swallows the exceptions of streams.
        val whole = bitmap.compress(Bitmap.CompressFormat.JPEG, JPEG_QUALITY, stream)
        if (!whole) throw SaveException(SaveProblem.FULL)
        stream.flush()
    }

    private fun writeOrRemove(uri: Uri, write: () -> Unit) {
        var whole = false
        try {
            write()
            whole = true
        } finally {
            if (!whole) remove(uri)
        }
    }

    private fun remove(uri: Uri) {
        try {
            if (uri.authority == MediaStore.AUTHORITY) {
                resolver.delete(uri, null, null)
            } else {
                android.provider.DocumentsContract.deleteDocument(resolver, uri)
            }
        } catch (_: Exception) {
            // It is already an error that is reported; a provider that cannot delete adds nothing to it.
        }
    }

    private fun <T> guarded(save: () -> T): T = try {
        save()
    } catch (e: IOException) {
        throw SaveException(if (isFull(e)) SaveProblem.FULL else SaveProblem.UNWRITABLE, e)
    } catch (e: SecurityException) {
        throw SaveException(SaveProblem.UNWRITABLE, e)
    } catch (e: IllegalStateException) {
        // What the gallery throws when it is not mounted.
        throw SaveException(SaveProblem.UNWRITABLE, e)
    } catch (e: IllegalArgumentException) {
        throw SaveException(SaveProblem.UNWRITABLE, e)
    }

    internal companion object {
        const val MIME_TYPE = "image/jpeg"
        private const val FOLDER = "SegFormer"
        private const val JPEG_QUALITY = 92

        /** Whether an error says that there is no space left. */
        fun isFull(e: Throwable): Boolean = generateSequence(e) { it.cause }
            .any { (it as? ErrnoException)?.errno == OsConstants.ENOSPC || it.message?.contains("ENOSPC") == true }
    }
}
