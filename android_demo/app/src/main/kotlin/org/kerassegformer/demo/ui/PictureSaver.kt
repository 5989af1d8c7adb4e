package org.kerassegformer.demo.ui

import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
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
    private val session: LiveSession,
    private val container: AppContainer,
    private val documents: DocumentRequests,
) {
    private val gallery = PictureGallery(container.resolver)

    /** Saves the displayed image. */
    fun save() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.state.value.savable?.let { save(it, ToGallery()) { notify(R.string.saved) } }
        } else {
            createDocument(DocumentRequests.SAVE_PICTURE)
        }
    }

    /** Saves the displayed image and shares the file. */
    fun share() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            session.state.value.savable?.let { save(it, ToGallery(), ::share) }
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
        val picture = session.state.value.savable ?: return notify(R.string.save_failed_lost)
        save(picture, { bitmap -> document.also { gallery.saveTo(it, bitmap) } }) {
            notify(R.string.saved_document)
            if (share) share(it)
        }
    }

    /** Saves an image to the gallery and returns its URI. */
    @RequiresSdk(Build.VERSION_CODES.Q)
    private inner class ToGallery : (Bitmap) -> Uri {
        override fun invoke(bitmap: Bitmap): Uri = gallery.save(bitmap, newName())
    }

    /** Writes the image with [write], also if the screen is closed meanwhile, and calls [then] with its URI. */
    private fun save(picture: SegmentedPicture, write: (Bitmap) -> Uri, then: (Uri) -> Unit) {
        val opacity = session.state.value.settings.opacity / SettingsStore.FULL_OPACITY.toFloat()
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
        container.scope.launch {
            try {
                then(withContext(container.dispatchers.files) { write(compose()) })
            } catch (e: SaveException) {
                val full = e.problem == SaveProblem.FULL
                notify(if (full) R.string.save_failed_space else R.string.save_failed)
            } catch (_: OutOfMemoryError) {
                notify(R.string.picture_large_text)
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

    private fun share(picture: Uri) = session.effects.send(ScreenEffect.Share(picture))

    private fun notify(text: Int) = session.effects.send(ScreenEffect.Notify(text))

    internal companion object {
        /** Names an image or a video by the time. */
        fun newName(): String =
            "segformer_" + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss"))
    }
}
