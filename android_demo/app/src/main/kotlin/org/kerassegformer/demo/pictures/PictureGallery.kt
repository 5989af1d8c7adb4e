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
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.OutputStream
import org.kerassegformer.demo.RequiresSdk

/** Why a file was not saved. */
internal enum class SaveProblem {
    /** No free space. */
    FULL,

    /** The location is not writable. */
    UNWRITABLE,
}

/** Thrown if a file was not saved. No partial file remains. */
internal class SaveException(val problem: SaveProblem, cause: Throwable? = null) :
    Exception("Not saved: ${problem.name.lowercase()}.", cause)

/** Saves images and videos to the gallery, and images to documents. Blocking: do not call on the main thread. */
internal class PictureGallery(private val resolver: ContentResolver) {
    /**
     * Saves [bitmap] as a JPEG file to the gallery. Other apps see it only when it is complete.
     *
     * @param name file name without extension
     * @return its URI
     * @throws SaveException saving failed; no partial file remains
     */
    @RequiresSdk(Build.VERSION_CODES.Q)
    fun save(bitmap: Bitmap, name: String): Uri {
        val images = MediaStore.Images.Media.getContentUri(MediaStore.VOLUME_EXTERNAL_PRIMARY)
        return insert(images, "$name.jpg", MIME_TYPE, Environment.DIRECTORY_PICTURES) { writeJpeg(bitmap, it) }
    }

    /**
     * Copies a video to the gallery, as [save] does.
     *
     * @throws SaveException saving failed; no partial file remains
     */
    @RequiresSdk(Build.VERSION_CODES.Q)
    fun saveVideo(video: File, name: String): Uri {
        val videos = MediaStore.Video.Media.getContentUri(MediaStore.VOLUME_EXTERNAL_PRIMARY)
        return insert(videos, "$name.mp4", PlatformVideo.MIME_TYPE, Environment.DIRECTORY_MOVIES) { stream ->
            video.inputStream().use { it.copyTo(stream) }
        }
    }

    @RequiresSdk(Build.VERSION_CODES.Q)
    private fun insert(collection: Uri, name: String, type: String, folder: String, write: (OutputStream) -> Unit): Uri {
        val values = ContentValues().apply {
            put(MediaStore.MediaColumns.DISPLAY_NAME, name)
            put(MediaStore.MediaColumns.MIME_TYPE, type)
            put(MediaStore.MediaColumns.RELATIVE_PATH, "$folder/$FOLDER")
            put(MediaStore.MediaColumns.IS_PENDING, 1)
        }
        return guarded {
            val uri = resolver.insert(collection, values) ?: throw IOException("The gallery does not accept files.")
            writeOrRemove(uri) {
                open(uri).use(write)
                resolver.update(uri, ContentValues().apply { put(MediaStore.MediaColumns.IS_PENDING, 0) }, null, null)
            }
            uri
        }
    }

    /**
     * Writes [bitmap] as a JPEG file to a document that the user just created. The document is deleted on errors.
     *
     * @throws SaveException saving failed; no partial file remains
     */
    fun saveTo(document: Uri, bitmap: Bitmap): Unit = saveDocument(document) { writeJpeg(bitmap, it) }

    /** Calls [write] with the stream of such a document. @throws SaveException saving failed, see [saveTo] */
    fun saveDocument(document: Uri, write: (OutputStream) -> Unit): Unit = guarded {
        writeOrRemove(document) { open(document).use(write) }
    }

    private fun open(uri: Uri): OutputStream =
        resolver.openOutputStream(uri) ?: throw FileNotFoundException("$uri")

    private fun writeJpeg(bitmap: Bitmap, stream: OutputStream) {
        // The encoder swallows exceptions of the stream: a full disk only shows in the result.
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
            // The original error is reported; a provider that cannot delete adds nothing to it.
        }
    }

    private fun <T> guarded(save: () -> T): T = try {
        save()
    } catch (e: IOException) {
        throw SaveException(if (isFull(e)) SaveProblem.FULL else SaveProblem.UNWRITABLE, e)
    } catch (e: SecurityException) {
        throw SaveException(SaveProblem.UNWRITABLE, e)
    } catch (e: IllegalStateException) {
        // Thrown by the gallery if the storage is not mounted.
        throw SaveException(SaveProblem.UNWRITABLE, e)
    } catch (e: IllegalArgumentException) {
        throw SaveException(SaveProblem.UNWRITABLE, e)
    }

    internal companion object {
        const val MIME_TYPE = "image/jpeg"
        private const val FOLDER = "SegFormer"
        private const val JPEG_QUALITY = 92

        /** Returns true if the error was caused by a lack of free space. */
        fun isFull(e: Throwable): Boolean = generateSequence(e) { it.cause }
            .any { (it as? ErrnoException)?.errno == OsConstants.ENOSPC || it.message?.contains("ENOSPC") == true }
    }
}
