package org.kerassegformer.demo.camera

import android.graphics.Bitmap
import org.kerassegformer.demo.pictures.MaskedPicture

/**
 * The few pictures that frames of the camera become: one on the screen, one that is painted, one in the model, one that
 * waits. They go round, so that nothing is made for a frame. For any thread.
 */
internal class CameraPictures {
    private val free = ArrayDeque<MaskedPicture>()
    private val inModel = HashMap<Long, MaskedPicture>()
    private var width = 0
    private var height = 0
    private var nextId = 0L
    private var made = 0

    /** A number for a frame that is newer than all before. */
    @Synchronized
    fun newId(): Long = nextId++

    /**
     * A picture to fill from a frame.
     *
     * @param width of the upright picture, in pixels
     * @param height of the upright picture, in pixels
     * @return null where all are in use: the frame is to be dropped
     */
    @Synchronized
    fun take(id: Long, width: Int, height: Int): MaskedPicture? {
        if (width != this.width || height != this.height) resize(width, height)
        val picture = free.removeFirstOrNull() ?: makeOne() ?: return null
        picture.frameId = id
        inModel[id] = picture
        return picture
    }

    /** The picture of a frame whose labels have come, which is the caller's from now on; null if it was given up. */
    @Synchronized
    fun claim(id: Long): MaskedPicture? {
        // The engine answers in order: what is older than an answer will have none.
        val lost = inModel.keys.filter { it < id }
        lost.forEach { giveBackNow(inModel.remove(it)) }
        return inModel.remove(id)
    }

    /** Gives up the picture of a frame that the model will not see. */
    @Synchronized
    fun giveUp(id: Long): Unit = giveBackNow(inModel.remove(id))

    /** Gives up all pictures whose labels have not come, as when another camera is opened. */
    @Synchronized
    fun giveUpAll() {
        inModel.values.forEach(::giveBackNow)
        inModel.clear()
    }

    /** Takes back a picture that is no longer shown. */
    @Synchronized
    fun giveBack(picture: MaskedPicture?): Unit = giveBackNow(picture)

    /** Lets go of the memory of pictures that are not in use. */
    @Synchronized
    fun trim() {
        made -= free.size
        free.clear()
    }

    private fun giveBackNow(picture: MaskedPicture?) {
        val fits = picture != null && picture.picture.width == width && picture.picture.height == height
        if (fits && picture !in free) free.addLast(picture)
    }

    private fun makeOne(): MaskedPicture? {
        if (made == MOST) return null
        made++
        return MaskedPicture(Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888))
    }

    private fun resize(width: Int, height: Int) {
        this.width = width
        this.height = height
        free.clear()
        made = 0
    }

    private companion object {
        const val MOST = 5
    }
}
