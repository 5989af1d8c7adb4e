package org.kerassegformer.demo.engine

import org.kerassegformer.core.InputSpec
import java.nio.ByteBuffer

/**
 * One picture on its way to the model: an image of the camera or a picture of the user.
 *
 * The engine calls [writeTo] at most once, on a thread of its own, and [close] exactly once: right after that call, or
 * when a newer frame takes the place of this one. An image of the camera is thus given back before the model runs.
 */
internal interface Frame : AutoCloseable {
    /** Says to which frame a result belongs; unique while the engine lives. */
    val id: Long

    /** Time from the exposure of the picture to its submission, in nanoseconds; 0 where it has none. */
    val cameraNanos: Long

    /**
     * Writes the frame as the model's input `(height, width, 3)`, RGB 0..255, as `FrameToInput` and `PictureToInput`
     * of the core do.
     *
     * @param input direct buffer in native byte order of `spec.byteCount` bytes, to be filled from its start
     */
    fun writeTo(input: ByteBuffer, spec: InputSpec)

    /** Gives back what the frame holds; throws nothing. */
    override fun close()
}
