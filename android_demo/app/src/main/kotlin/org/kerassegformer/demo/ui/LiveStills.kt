package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.graphics.Bitmap
import android.net.Uri
import android.util.Log
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.demo.pictures.CapturedStill
import org.kerassegformer.demo.pictures.PictureException
import org.kerassegformer.demo.pictures.PictureReader
import org.kerassegformer.demo.pictures.SegmentedPicture

/**
 * The images of a [LiveSession] that do not move: opened ones, and frozen ones at the size of the sensor. A newer one
 * replaces one that is still being read. Main thread only.
 *
 * @param files where files are read
 * @param show shows an image that has no labels yet
 * @param analyse submits an image to the engine
 */
internal class LiveStills(
    private val scope: CoroutineScope,
    private val files: CoroutineDispatcher,
    resolver: ContentResolver,
    private val state: StateFlow<UiState>,
    private val dispatch: (ScreenEvent) -> Unit,
    private val show: (SegmentedPicture?) -> Unit,
    private val analyse: (SegmentedPicture) -> Unit,
) {
    private val reader = PictureReader(resolver)
    private var reading: Job? = null
    private var taking: Job? = null

    /** The opened image, without labels; null if there is none. */
    var opened: SegmentedPicture? = null
        private set

    /** Reads an image that the user has opened. */
    fun open(address: String) {
        close()
        show(null)
        reading = scope.launch {
            try {
                val picture = SegmentedPicture(read { reader.read(Uri.parse(address)) })
                opened = picture
                show(picture)
                dispatch(ScreenEvent.PictureRead)
            } catch (failure: PictureException) {
                dispatch(ScreenEvent.PictureFailed(failure.problem))
            }
        }
    }

    /** Forgets the opened image. */
    fun close() {
        reading?.cancel()
        opened = null
    }

    /** Submits the opened image, if any. */
    fun analyseOpened() {
        opened?.let { analyse(SegmentedPicture(it.picture)) }
    }

    /** Replaces the frozen frame by an image at the size of the sensor, with labels of its own. */
    fun freeze(camera: LiveCamera) {
        taking?.cancel()
        taking = scope.launch {
            val still = camera.takeStill() ?: return@launch
            if (!state.value.screen.frozen) return@launch
            try {
                val picture = SegmentedPicture(read { reader.read(still) }, still)
                if (state.value.screen.frozen) analyse(picture)
            } catch (failure: PictureException) {
                Log.w(TAG, "The frozen frame stays: no still image.", failure)
            }
        }
    }

    private suspend fun read(block: () -> Bitmap): Bitmap = withContext(files) { block() }

    private companion object {
        const val TAG = "LiveStills"
    }
}
