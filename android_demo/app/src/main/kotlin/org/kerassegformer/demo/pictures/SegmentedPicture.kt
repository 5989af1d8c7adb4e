package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import java.nio.ByteBuffer
import org.kerassegformer.core.ClassShare
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.Framing
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelSet
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.PictureToInput
import org.kerassegformer.demo.engine.Frame

/**
 * An image together with its own labels, so that a mask is never drawn over another image.
 *
 * Used by one thread at a time: it is passed from the thread that fills it to the one that renders it and to the main
 * thread.
 *
 * @property picture the upright image, as displayed
 * @property still the still image of the camera that [picture] is a reduced copy of; null for other images
 */
internal class SegmentedPicture(val picture: Bitmap, val still: CapturedStill? = null) {
    /** ID of the engine's frame. */
    var frameId: Long = 0

    /** Mapping from the image to the model's input; set when the model processes it. */
    var geometry: FrameGeometry? = null

    /** Duration of converting the camera frame to [picture], in nanoseconds. */
    var pictureNanos: Long = 0

    /** The classes of [map]; null without labels. */
    var labelSet: LabelSet? = null
        private set

    /** The labels of the whole tensor, including padding; null before inference. */
    var map: LabelMap? = null
        private set

    /** The colours of the whole tensor, including padding; null before [MaskPainter] has rendered them. */
    var mask: Bitmap? = null

    /** The only class in [mask], or null for all. */
    var onlyClass: Int? = null

    /** The labels as in [mask]: with all classes but [onlyClass] replaced by the ignore index. */
    val shownMap: LabelMap?
        get() {
            val map = map ?: return null
            val only = onlyClass ?: return map
            val none = checkNotNull(labelSet).ignoreIndex
            return LabelMap(map.width, map.height).also { map.copyOnly(only, none, it) }
        }

    /** The classes in the image, by descending share. */
    var shares: List<ClassShare> = emptyList()

    /** Label positions of the large segments. */
    var anchors: List<ClassAnchor> = emptyList()

    /** Copies the labels; reuses memory of the same size. */
    fun label(labels: LabelMap, classes: LabelSet) {
        val kept = map?.takeIf { it.width == labels.width && it.height == labels.height }
            ?: LabelMap(labels.width, labels.height).also { map = it }
        kept.copyFrom(labels)
        labelSet = classes
    }

    /** Returns a copy that shares the image and has its own labels, to be rendered while this one is displayed. */
    fun copyLabels(): SegmentedPicture {
        val copy = SegmentedPicture(picture, still)
        copy.frameId = frameId
        copy.geometry = geometry
        copy.label(checkNotNull(map), checkNotNull(labelSet))
        return copy
    }

    /** Returns the name of a class; null for an invalid index. */
    fun nameOf(index: Int): String? = labelSet?.names?.getOrNull(index)
}

/** Copies a map to [target] with all classes but [index] replaced by [none]. */
internal fun LabelMap.copyOnly(index: Int, none: Int, target: LabelMap) {
    for (i in labels.indices) target.labels[i] = if (labels[i] == index) index else none
}

/**
 * A still image of the camera at the size of the sensor.
 *
 * @property jpeg the file
 * @property orientation what makes it upright, and mirrors it as on the screen
 */
internal class CapturedStill(val jpeg: ByteArray, val orientation: Orientation)

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
