package org.kerassegformer.demo.pictures

import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.PictureToInput
import org.kerassegformer.demo.engine.Frame
import java.nio.ByteBuffer

/** An image of the user as a frame for the engine, letterboxed. */
internal class PictureFrame(override val id: Long, private val picture: SegmentedPicture) : Frame {
    override val cameraNanos: Long get() = 0

    init {
        picture.frameId = id
    }

    override fun writeTo(input: ByteBuffer, spec: InputSpec) {
        val bitmap = picture.picture
        val geometry = FrameGeometry(bitmap.width, bitmap.height, spec.width, spec.height, framing = Framing.FIT)
        val pixels = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        PictureToInput(geometry, spec.type).convert(pixels, input)
        picture.geometry = geometry
    }

    override fun close(): Unit = Unit
}
