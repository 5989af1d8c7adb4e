package org.kerassegformer.demo.engine

import org.kerassegformer.core.InputSpec
import java.nio.ByteBuffer

/**
 * An input frame of the model: a camera frame or an image of the user.
 *
 * The engine calls [writeTo] at most once, one frame after another, and [close] exactly once: right after that call, or when
 * a newer frame replaces this one. A camera image is thus released before the model runs.
 */
internal interface Frame : AutoCloseable {
    /** Identifies the frame of a result; unique during the lifetime of the engine. */
    val id: Long

    /** Time from exposure to submission, in nanoseconds; 0 if unknown. */
    val cameraNanos: Long

    /**
     * Writes the model's input `(height, width, 3)`, RGB 0..255, with `FrameToInput` or `PictureToInput`.
     *
     * @param input direct buffer in native byte order of `spec.byteCount` bytes, filled from its start
     */
    fun writeTo(input: ByteBuffer, spec: InputSpec)

    /** Releases the resources of the frame. Does not throw. */
    override fun close()
}
