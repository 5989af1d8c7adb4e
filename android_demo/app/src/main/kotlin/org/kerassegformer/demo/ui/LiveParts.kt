package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.graphics.Bitmap
import android.net.Uri
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import org.kerassegformer.core.Orientation
import org.kerassegformer.demo.camera.CameraFrameReader
import org.kerassegformer.demo.camera.CameraModelFrame
import org.kerassegformer.demo.camera.PicturePool
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.pictures.CapturedStill
import org.kerassegformer.demo.pictures.MaskPainter
import org.kerassegformer.demo.pictures.PictureReader
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.util.concurrent.Executor

/** Makes frames for the engine from those of the camera, each with the image that its labels will be drawn over. */
internal class CameraFrames(private val pool: PicturePool) {
    private val reader = CameraFrameReader()

    /** Returns a frame that owns [image]; null if all images of [pool] are in use, and then closes it. */
    fun frameOf(image: YuvImage, orientation: Orientation): Frame? {
        val swaps = orientation.rotation.swapsSides
        val width = if (swaps) image.height else image.width
        val height = if (swaps) image.width else image.height
        val id = pool.newId()
        val picture = pool.acquire(id, width, height)
        if (picture == null) {
            image.close()
            return null
        }
        return CameraModelFrame(id, image.ageNanos, image, orientation, picture, reader, pool::discard)
    }
}

/** Reads images in the background; a newer request replaces an older one. Main thread only. */
internal class PictureLoader(private val files: Executor, resolver: ContentResolver) {
    private val main = Handler(Looper.getMainLooper())
    private val reader = PictureReader(resolver)
    private var newest = 0

    /** Reads a document. @param onRead receives the image or a `PictureException`, unless there is a newer request */
    fun load(address: String, onRead: (Result<Bitmap>) -> Unit) = load(onRead) { reader.read(Uri.parse(address)) }

    /** Reads a still image of the camera. */
    fun load(still: CapturedStill, onRead: (Result<Bitmap>) -> Unit) = load(onRead) { reader.read(still) }

    private fun load(onRead: (Result<Bitmap>) -> Unit, read: () -> Bitmap) {
        val number = ++newest
        files.execute {
            val result = runCatching(read)
            main.post { if (number == newest) onRead(result) }
        }
    }
}

/** Renders labels on a thread of its own. */
internal class Painting : AutoCloseable {
    private val main = Handler(Looper.getMainLooper())
    private val thread = HandlerThread("painting").apply { start() }
    private val handler = Handler(thread.looper)
    private val painter = MaskPainter()

    /**
     * Renders the labels of an image; on any thread.
     *
     * @param onlyClass returns the only class to render, or null for all; called when rendering begins
     * @param smoothing returns true to smooth the labels over time
     * @param onPainted receives the duration in nanoseconds, on the main thread
     */
    fun paint(
        picture: SegmentedPicture,
        onlyClass: () -> Int?,
        smoothing: () -> Boolean = { false },
        onPainted: (Long) -> Unit,
    ) {
        handler.post {
            val start = System.nanoTime()
            painter.paint(picture, onlyClass(), smoothing())
            val nanos = System.nanoTime() - start
            main.post { onPainted(nanos) }
        }
    }

    /** Forgets earlier images, for example after switching cameras. */
    fun reset() {
        handler.post(painter::reset)
    }

    override fun close() {
        thread.quitSafely()
    }
}
