package org.kerassegformer.demo.camera

import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.Orientation
import org.kerassegformer.demo.engine.Frame
import org.kerassegformer.demo.pictures.SegmentedPicture
import java.nio.ByteBuffer

/**
 * A camera frame for the engine. When the engine reads it, the displayed image is converted too.
 *
 * @param image closed together with this frame
 * @param picture filled when the engine reads the frame
 * @param reader only used by the engine, for one frame after another
 * @param onSkipped called once if the frame is closed without having been read
 */
internal class CameraModelFrame(
    override val id: Long,
    override val cameraNanos: Long,
    private val image: YuvImage,
    private val orientation: Orientation,
    private val picture: SegmentedPicture,
    private val reader: CameraFrameReader,
    private val onSkipped: (Long) -> Unit,
) : Frame {
    private var isRead = false

    override fun writeTo(input: ByteBuffer, spec: InputSpec) {
        picture.geometry = reader.writeInput(image, orientation, input, spec)
        val start = System.nanoTime()
        reader.writePicture(image, orientation, picture)
        picture.pictureNanos = System.nanoTime() - start
        isRead = true
    }

    override fun close() {
        image.close()
        if (!isRead) onSkipped(id)
    }
}
