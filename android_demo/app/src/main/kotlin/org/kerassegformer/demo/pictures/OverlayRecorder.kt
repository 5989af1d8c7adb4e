package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.RecordingEnd
import org.kerassegformer.core.VideoRecording
import org.kerassegformer.core.VideoSize
import org.kerassegformer.core.ViewGeometry
import java.io.File
import kotlin.math.roundToInt

/** Makes recordings of a size; their frames are colours in row-major order. */
internal fun interface VideoRecordings {
    fun start(file: File, size: VideoSize, onEnd: (RecordingEnd) -> Unit): VideoRecording<IntArray, *>
}

/**
 * Records images with their overlay as a video, of the size of the first one. Main thread only; the images are encoded on
 * [worker]. Images that come while one is being encoded are left out.
 *
 * @param scope outlives the screen, so that the file is completed
 * @param worker runs one task after the other
 * @param onEnd receives the outcome, on [worker]
 */
internal class OverlayRecorder(
    val file: File,
    private val recordings: VideoRecordings,
    private val scope: CoroutineScope,
    private val worker: CoroutineDispatcher,
    private val onEnd: (RecordingEnd) -> Unit,
) {
    private val maskPaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val picturePaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private var bitmap: Bitmap? = null
    private var pixels = IntArray(0)
    private var firstNanos = NONE
    private var recording: VideoRecording<IntArray, *>? = null
    private var isStopped = false
    private var encoding: Job? = null

    /** Adds an image. @param opacity opacity of the labels, 0..1 */
    fun add(picture: SegmentedPicture, opacity: Float, nanos: Long) {
        if (isStopped || encoding?.isActive == true) return
        if (firstNanos == NONE) firstNanos = nanos
        val frame = draw(picture, opacity)
        encoding = scope.launch(worker) {
            val size = VideoSize(frame.width, frame.height)
            frame.getPixels(pixels, 0, size.width, 0, 0, size.width, size.height)
            val running = recording ?: recordings.start(file, size, onEnd).also { recording = it }
            running.add(pixels, nanos)
        }
    }

    /** Seconds since the first image. */
    fun seconds(nanos: Long): Int = if (firstNanos == NONE) 0 else ((nanos - firstNanos) / NANOS_PER_SECOND).toInt()

    /** Completes the file. */
    fun stop() {
        if (isStopped) return
        isStopped = true
        scope.launch(worker) { recording?.stop() ?: onEnd(RecordingEnd.EMPTY) }
    }

    private fun draw(picture: SegmentedPicture, opacity: Float): Bitmap {
        val source = picture.picture
        val frame = bitmap ?: VideoSize.of(source.width, source.height).let { size ->
            pixels = IntArray(size.width * size.height)
            Bitmap.createBitmap(size.width, size.height, Bitmap.Config.ARGB_8888).also { bitmap = it }
        }
        // After a turn of the device images have another shape, and are fitted in.
        val geometry = picture.geometry ?: FrameGeometry(source.width, source.height, source.width, source.height)
        val view = ViewGeometry(geometry, frame.width, frame.height, Framing.FIT)
        val canvas = Canvas(frame)
        canvas.drawColor(android.graphics.Color.BLACK)
        canvas.clipRect(view.picture.toRectF())
        canvas.drawBitmap(source, null, view.picture.toRectF(), picturePaint)
        maskPaint.alpha = (opacity * FULL).roundToInt()
        picture.mask?.let { canvas.drawBitmap(it, null, view.tensor.toRectF(), maskPaint) }
        return frame
    }

    private companion object {
        const val NONE = -1L
        const val FULL = 255
        const val NANOS_PER_SECOND = 1_000_000_000L
    }
}
