package org.kerassegformer.demo.ui

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.widget.Toast
import org.kerassegformer.demo.R
import org.kerassegformer.demo.RequiresSdk
import org.kerassegformer.demo.pictures.PictureComposer
import org.kerassegformer.demo.pictures.PictureGallery
import org.kerassegformer.demo.pictures.SaveException
import org.kerassegformer.demo.pictures.SaveProblem
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter
import java.util.concurrent.Executor

/**
 * Saves and shares the displayed image with its overlay: to the gallery since Android 10, to a document before, as the
 * gallery would need the storage permission there.
 */
internal class PictureSaver(
    private val activity: Activity,
    private val files: Executor,
    private val documents: DocumentRequests,
) {
    private val gallery = PictureGallery(activity.contentResolver)
    private val main = Handler(Looper.getMainLooper())

    /** Saves the displayed image. */
    fun save(session: LiveSession) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.savable?.let { inBackground(it, session.settings, IntoGallery { toast(R.string.saved) }) }
        } else {
            createDocument(DocumentRequests.SAVE_PICTURE)
        }
    }

    /** Saves the displayed image and shares the file. */
    fun share(session: LiveSession) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.savable?.let { inBackground(it, session.settings, IntoGallery(::openShareSheet)) }
        } else {
            toast(R.string.share_first_save)
            createDocument(DocumentRequests.SHARE_PICTURE)
        }
    }

    private fun createDocument(request: Int) =
        documents.create(request, PictureGallery.MIME_TYPE, "${newName()}.jpg")

    /** Writes the displayed image to a document that the user created, and optionally shares it. */
    fun saveTo(document: Uri, session: LiveSession, share: Boolean) {
        val picture = session.savable ?: return
        inBackground(picture, session.settings) { bitmap ->
            gallery.saveTo(document, bitmap)
            main.post {
                toast(R.string.saved_document)
                if (share) openShareSheet(document)
            }
        }
    }

    /** Saves to the gallery and then calls [then] with the URI on the main thread. */
    @RequiresSdk(Build.VERSION_CODES.Q)
    private inner class IntoGallery(private val then: (Uri) -> Unit) : (Bitmap) -> Unit {
        override fun invoke(bitmap: Bitmap) {
            val uri = gallery.save(bitmap, newName())
            main.post { then(uri) }
        }
    }

    private fun inBackground(picture: SegmentedPicture, settings: Settings, write: (Bitmap) -> Unit) {
        // Composed on the main thread, as the image may change afterwards.
        val bitmap = try {
            PictureComposer.compose(picture, settings.opacity / SettingsStore.FULL_OPACITY.toFloat())
        } catch (_: OutOfMemoryError) {
            toast(R.string.picture_large_text)
            return
        }
        files.execute {
            try {
                write(bitmap)
            } catch (e: SaveException) {
                val full = e.problem == SaveProblem.FULL
                main.post { toast(if (full) R.string.save_failed_space else R.string.save_failed) }
            }
        }
    }

    private fun openShareSheet(picture: Uri) {
        if (activity.isDestroyed) return
        openShareSheet(activity, picture, PictureGallery.MIME_TYPE, R.string.share_picture)
    }

    private fun toast(text: Int): Unit = Toast.makeText(activity, text, Toast.LENGTH_LONG).show()

    internal companion object {
        /** Opens the share sheet for a document. */
        fun openShareSheet(context: Context, document: Uri, type: String, title: Int) {
            val send = Intent(Intent.ACTION_SEND)
                .setType(type)
                .putExtra(Intent.EXTRA_STREAM, document)
                .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
            send.clipData = android.content.ClipData.newRawUri("", document)
            context.startActivity(Intent.createChooser(send, context.getString(title)))
        }

        private fun newName(): String =
            "segformer_" + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss"))
    }
}
