package org.kerassegformer.demo.camera

import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.Orientation
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.pictures.MaskedPicture
import java.nio.ByteBuffer

/**
 * A frame of the camera on its way to the model. When the model takes it, the picture for the screen is made too.
 *
 * @param image closed with this frame
 * @param picture filled when the model takes the frame
 * @param reader used on the engine's thread alone
 * @param onUnseen told once if the frame is closed without the model having seen it
 */
internal class CameraModelFrame(
    override val id: Long,
    override val cameraNanos: Long,
    private val image: YuvImage,
    private val orientation: Orientation,
    private val picture: MaskedPicture,
    private val reader: CameraFrameReader,
    private val onUnseen: (Long) -> Unit,
) : Frame {
    private var seen = false

    override fun writeTo(input: ByteBuffer, spec: InputSpec) {
        picture.geometry = reader.writeInput(image, orientation, input, spec)
        val start = System.nanoTime()
        reader.writePicture(image, orientation, picture)
        picture.pictureNanos = System.nanoTime() - start
        seen = true
    }

    override fun close() {
        image.close()
        if (!seen) onUnseen(id)
    }
}
