package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import org.kerassegformer.core.ClassShare
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelSet

/**
 * A picture together with the labels that were computed from that very picture, so that no mask ever lies over another.
 *
 * One thread at a time may use it; it is handed on from the one that fills it to the one that paints and to the one
 * that shows it.
 *
 * @property picture upright, as it is shown
 */
internal class MaskedPicture(val picture: Bitmap) {
    /** Number of the engine's frame. */
    var frameId: Long = 0

    /** How the picture came into the model's input. Set when the model takes it. */
    var geometry: FrameGeometry? = null

    /** Time it took to make [picture] from the camera's frame, in nanoseconds. */
    var pictureNanos: Long = 0

    /** The classes that [map] counts; null as long as there are no labels. */
    var labelSet: LabelSet? = null
        private set

    /** The labels of the whole tensor, bars included; null as long as there are none. */
    var map: LabelMap? = null
        private set

    /** The colours of the whole tensor, bars included; null until [MaskPainter] has painted. */
    var mask: Bitmap? = null

    /** The classes in the picture, the largest first. */
    var shares: List<ClassShare> = emptyList()

    /** A place for the name of each large class. */
    var anchors: List<ClassAnchor> = emptyList()

    /** Copies the labels of the picture; memory of the same size is used again. */
    fun label(labels: LabelMap, classes: LabelSet) {
        val kept = map?.takeIf { it.width == labels.width && it.height == labels.height }
            ?: LabelMap(labels.width, labels.height).also { map = it }
        kept.copyFrom(labels)
        labelSet = classes
    }

    /** The same picture and labels, to be painted anew while this one is shown. */
    fun copyLabels(): MaskedPicture {
        val copy = MaskedPicture(picture)
        copy.frameId = frameId
        copy.geometry = geometry
        copy.label(checkNotNull(map), checkNotNull(labelSet))
        return copy
    }

    /** Name of a class by its number; null for those that are none. */
    fun nameOf(index: Int): String? = labelSet?.names?.getOrNull(index)
}
