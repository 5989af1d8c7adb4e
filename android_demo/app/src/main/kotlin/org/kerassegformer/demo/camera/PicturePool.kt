package org.kerassegformer.demo.camera

import android.graphics.Bitmap
import org.kerassegformer.demo.pictures.SegmentedPicture

/**
 * Object pool for the images of camera frames: one displayed, one being rendered, one in the model, one waiting. Avoids
 * allocations per frame. Thread-safe.
 */
internal class PicturePool {
    private val free = ArrayDeque<SegmentedPicture>()
    private val inModel = HashMap<Long, SegmentedPicture>()
    private var width = 0
    private var height = 0
    private var nextId = 0L
    private var made = 0

    /** Returns the next frame ID. */
    @Synchronized
    fun newId(): Long = nextId++

    /**
     * Takes an image from the pool for a frame.
     *
     * @param width width of the upright image, in pixels
     * @param height height of the upright image, in pixels
     * @return null if all images are in use: drop the frame
     */
    @Synchronized
    fun acquire(id: Long, width: Int, height: Int): SegmentedPicture? {
        if (width != this.width || height != this.height) resize(width, height)
        val picture = free.removeFirstOrNull() ?: create() ?: return null
        picture.frameId = id
        inModel[id] = picture
        return picture
    }

    /** Returns the image of a frame whose labels are available and passes its ownership; null if it was discarded. */
    @Synchronized
    fun claim(id: Long): SegmentedPicture? {
        // Results come in order: older frames will have none.
        val lost = inModel.keys.filter { it < id }
        lost.forEach { addToPool(inModel.remove(it)) }
        return inModel.remove(id)
    }

    /** Recycles the image of a frame that the model skipped. */
    @Synchronized
    fun discard(id: Long): Unit = addToPool(inModel.remove(id))

    /** Recycles the images of all pending frames, for example after switching cameras. */
    @Synchronized
    fun discardAll() {
        inModel.values.forEach(::addToPool)
        inModel.clear()
    }

    /** Returns an image that is no longer displayed to the pool. */
    @Synchronized
    fun recycle(picture: SegmentedPicture?): Unit = addToPool(picture)

    /** Frees unused images. */
    @Synchronized
    fun trim() {
        made -= free.size
        free.clear()
    }

    private fun addToPool(picture: SegmentedPicture?) {
        val fits = picture != null && picture.picture.width == width && picture.picture.height == height
        if (fits && picture !in free) free.addLast(picture)
    }

    private fun create(): SegmentedPicture? {
        if (made == MAX_SIZE) return null
        made++
        return SegmentedPicture(Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888))
    }

    private fun resize(width: Int, height: Int) {
        this.width = width
        this.height = height
        free.clear()
        made = 0
    }

    private companion object {
        const val MAX_SIZE = 5
    }
}
