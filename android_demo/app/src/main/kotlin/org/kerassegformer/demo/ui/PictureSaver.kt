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
import org.kerassegformer.demo.pictures.MaskedPicture
import org.kerassegformer.demo.pictures.PictureComposer
import org.kerassegformer.demo.pictures.PictureGallery
import org.kerassegformer.demo.pictures.SaveException
import org.kerassegformer.demo.pictures.SaveProblem
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter
import java.util.concurrent.Executor

/**
 * Saves and shares the picture on the screen with its colours. From Android 10 on it goes to the gallery; before, where
 * that needs a permission to all files, to a document of the user's choice.
 */
internal class PictureSaver(
    private val activity: Activity,
    private val files: Executor,
    private val documents: DocumentRequests,
) {
    private val gallery = PictureGallery(activity.contentResolver)
    private val main = Handler(Looper.getMainLooper())

    /** Saves what the session shows. */
    fun save(session: LiveSession) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.savable?.let { inBackground(it, session.settings, IntoGallery { toast(R.string.saved) }) }
        } else {
            createDocument(DocumentRequests.SAVE_PICTURE)
        }
    }

    /** Shares what the session shows, through the file that it is saved to. */
    fun share(session: LiveSession) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.savable?.let { inBackground(it, session.settings, IntoGallery(::offer)) }
        } else {
            toast(R.string.share_first_save)
            createDocument(DocumentRequests.SHARE_PICTURE)
        }
    }

    private fun createDocument(request: Int) =
        documents.create(request, PictureGallery.MIME_TYPE, "${newName()}.jpg")

    /** Writes what the session shows into a document that the user has made, and then perhaps offers it to other apps. */
    fun saveTo(document: Uri, session: LiveSession, share: Boolean) {
        val picture = session.savable ?: return
        inBackground(picture, session.settings) { bitmap ->
            gallery.saveTo(document, bitmap)
            main.post {
                toast(R.string.saved_document)
                if (share) offer(document)
            }
        }
    }

    /** Writes into the gallery, and then does something with the address, on the main thread. */
    @RequiresSdk(Build.VERSION_CODES.Q)
    private inner class IntoGallery(private val then: (Uri) -> Unit) : (Bitmap) -> Unit {
        override fun invoke(bitmap: Bitmap) {
            val uri = gallery.save(bitmap, newName())
            main.post { then(uri) }
        }
    }

    private fun inBackground(picture: MaskedPicture, settings: Settings, write: (Bitmap) -> Unit) {
        // Made here, as the picture may change as soon as the main thread goes on.
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

    private fun offer(picture: Uri) {
        if (activity.isDestroyed) return
        offer(activity, picture, PictureGallery.MIME_TYPE, R.string.share_picture)
    }

    private fun toast(text: Int): Unit = Toast.makeText(activity, text, Toast.LENGTH_LONG).show()

    internal companion object {
        /** Opens the choice of apps to share a document with. */
        fun offer(context: Context, document: Uri, type: String, title: Int) {
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
