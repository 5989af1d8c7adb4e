package org.kerassegformer.demo.ui

import android.os.Build
import android.util.Log
import kotlinx.coroutines.launch
import org.kerassegformer.core.RecordingEnd
import org.kerassegformer.demo.R
import org.kerassegformer.demo.RequiresSdk
import org.kerassegformer.demo.pictures.OverlayRecorder
import org.kerassegformer.demo.pictures.PictureGallery
import org.kerassegformer.demo.pictures.SaveException
import org.kerassegformer.demo.pictures.SaveProblem
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.io.File

/**
 * Records the live image with its overlay, and saves the video to the gallery, also after the activity has gone: nothing
 * is left to do when it comes back. Main thread only.
 *
 * @param onEnd receives what to tell the user, or null, and true if the recording was not stopped; on the main thread
 */
internal class LiveRecording(private val container: AppContainer, private val onEnd: (Int?, Boolean) -> Unit) {
    private val gallery = PictureGallery(container.resolver)
    private var recorder: OverlayRecorder? = null

    /** Seconds of the video so far; null if there is none. */
    val seconds: Int? get() = recorder?.seconds(System.nanoTime())

    @RequiresSdk(Build.VERSION_CODES.Q)
    fun start() {
        stop()
        val file = File(container.videoFolder, "$PREFIX${System.nanoTime()}.mp4")
        val encoding = container.dispatchers.encoding
        container.scope.launch(encoding) { removeOthers() }
        recorder = OverlayRecorder(file, container.recordings, container.scope, encoding) { end ->
            val text = save(file, end)
            file.delete()
            container.scope.launch {
                val endedItself = recorder?.file == file
                if (endedItself) recorder = null
                onEnd(text, endedItself)
            }
        }
    }

    /** Adds an image that is shown. @param opacity opacity of the labels, 0..1 */
    fun add(picture: SegmentedPicture, opacity: Float) {
        recorder?.add(picture, opacity, System.nanoTime())
    }

    /** Completes the video. */
    fun stop() {
        recorder?.stop()
        recorder = null
    }

    /** Removes what is left of recordings that were killed with the app. */
    private fun removeOthers() {
        container.videoFolder.listFiles { file -> file.name.startsWith(PREFIX) }?.forEach(File::delete)
    }

    private fun save(file: File, end: RecordingEnd): Int? {
        val saved = when (end) {
            RecordingEnd.COMPLETE -> R.string.video_saved
            RecordingEnd.COMPLETE_FULL -> R.string.video_saved_full
            RecordingEnd.EMPTY -> return if (isFull()) R.string.save_failed_space else null
            RecordingEnd.FAILED -> return if (isFull()) R.string.save_failed_space else R.string.video_failed
        }
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return R.string.video_needs_android_10
        return try {
            gallery.saveVideo(file, PictureSaver.newName())
            saved
        } catch (e: SaveException) {
            Log.w(TAG, "The video was not saved.", e)
            if (e.problem == SaveProblem.FULL) R.string.save_failed_space else R.string.video_failed
        }
    }

    private fun isFull() = container.videoFolder.usableSpace < FULL_BYTES

    private companion object {
        const val TAG = "LiveRecording"
        const val PREFIX = "recording_"
        const val FULL_BYTES = 32L shl 20
    }
}
