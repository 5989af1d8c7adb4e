package org.kerassegformer.demo.ui

import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import android.os.Handler
import android.os.Looper
import org.kerassegformer.demo.R
import org.kerassegformer.demo.RequiresSdk
import org.kerassegformer.demo.pictures.CapturedStill
import org.kerassegformer.demo.pictures.PictureComposer
import org.kerassegformer.demo.pictures.PictureException
import org.kerassegformer.demo.pictures.PictureGallery
import org.kerassegformer.demo.pictures.PictureReader
import org.kerassegformer.demo.pictures.SaveException
import org.kerassegformer.demo.pictures.SaveProblem
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter

/**
 * Saves and shares the displayed image with its overlay: to the gallery since Android 10, to a document before, as the
 * gallery would need the storage permission there. The outcome goes to the activity that is shown by then.
 */
internal class PictureSaver(
    context: Context,
    private val session: LiveSession,
    private val container: AppContainer,
    private val documents: DocumentRequests,
) {
    private val resources = context.resources
    private val gallery = PictureGallery(container.resolver)
    private val main = Handler(Looper.getMainLooper())

    /** Saves the displayed image. */
    fun save() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.ui.savable?.let { inBackground(it, IntoGallery { notify(R.string.saved) }) }
        } else {
            createDocument(DocumentRequests.SAVE_PICTURE)
        }
    }

    /** Saves the displayed image and shares the file. */
    fun share() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.ui.savable?.let { inBackground(it, IntoGallery(::share)) }
        } else {
            notify(R.string.share_first_save)
            createDocument(DocumentRequests.SHARE_PICTURE)
        }
    }

    private fun createDocument(request: Int) =
        documents.create(request, PictureGallery.MIME_TYPE, "${newName()}.jpg")

    /** Writes the displayed image to a document that the user created, and optionally shares it. */
    fun saveTo(document: Uri, share: Boolean) {
        // A frozen image is lost if Android ends the process while the user selects the document.
        val picture = session.ui.savable ?: return notify(R.string.save_failed_lost)
        inBackground(picture) { bitmap ->
            gallery.saveTo(document, bitmap)
            main.post {
                notify(R.string.saved_document)
                if (share) share(document)
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

    private fun inBackground(picture: SegmentedPicture, write: (Bitmap) -> Unit) {
        val opacity = session.ui.settings.opacity / SettingsStore.FULL_OPACITY.toFloat()
        val still = picture.still
        val compose: () -> Bitmap = try {
            if (still != null) {
                { composeStill(picture, still, opacity) }
            } else {
                // Composed on the main thread, as the bitmap of a frame is reused.
                PictureComposer.compose(picture, opacity).let { { it } }
            }
        } catch (_: OutOfMemoryError) {
            return notify(R.string.picture_large_text)
        }
        container.files.execute {
            try {
                write(compose())
            } catch (e: SaveException) {
                val full = e.problem == SaveProblem.FULL
                main.post { notify(if (full) R.string.save_failed_space else R.string.save_failed) }
            } catch (_: OutOfMemoryError) {
                main.post { notify(R.string.picture_large_text) }
            }
        }
    }

    /** Composes the image at the size of the sensor, or as displayed if there is not enough memory. */
    private fun composeStill(picture: SegmentedPicture, still: CapturedStill, opacity: Float): Bitmap = try {
        PictureComposer.compose(picture, opacity, PictureReader(container.resolver).read(still, Int.MAX_VALUE))
    } catch (_: PictureException) {
        PictureComposer.compose(picture, opacity)
    } catch (_: OutOfMemoryError) {
        PictureComposer.compose(picture, opacity)
    }

    private fun share(picture: Uri) = session.mailbox.post { it.share(picture) }

    private fun notify(text: Int) = session.mailbox.post { it.notify(resources.getString(text)) }

    internal companion object {
        /** Names an image or a video by the time. */
        fun newName(): String =
            "segformer_" + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss"))
    }
}
