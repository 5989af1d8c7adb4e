package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import org.kerassegformer.core.Box
import org.kerassegformer.core.ClassShares
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.LabelColorizer
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelSet
import org.kerassegformer.core.LabelSmoother

/** Paints the labels of pictures: colours, shares and places for names. Buffers are kept. For one thread. */
internal class MaskPainter {
    private var tools: Tools? = null

    /**
     * Fills [MaskedPicture.mask], [MaskedPicture.shares] and [MaskedPicture.anchors] from the picture's labels.
     *
     * @param alone the class that is painted alone, or null for all
     * @param steady whether the labels are those of a film whose flicker is to be smoothed away
     */
    fun paint(picture: MaskedPicture, alone: Int? = null, steady: Boolean = false) {
        val map = checkNotNull(picture.map) { "The picture has no labels." }
        val labelSet = checkNotNull(picture.labelSet) { "The picture has no classes." }
        val geometry = checkNotNull(picture.geometry) { "The picture was not given to a model." }
        val tools = toolsFor(labelSet, map, geometry)
        if (steady) tools.smoother.smooth(map)
        val content = contentOf(map, geometry)
        tools.shares.count(map, content)
        picture.shares = tools.shares.list()
        picture.anchors = tools.anchors.find(map, content, leastRadius = maxOf(2, map.width / SHARE_OF_NAMED_RADIUS))
            .filter { labelSet.names.getOrNull(it.index) != null && (alone == null || it.index == alone) }
        tools.colorizer.draw(tools.only(map, alone), tools.pixels)
        val mask = picture.mask?.takeIf { it.width == geometry.tensorWidth && it.height == geometry.tensorHeight }
            ?: Bitmap.createBitmap(geometry.tensorWidth, geometry.tensorHeight, Bitmap.Config.ARGB_8888)
        mask.setPixels(tools.pixels, 0, mask.width, 0, 0, mask.width, mask.height)
        picture.mask = mask
    }

    /** Forgets the pictures before, as when another camera is opened. */
    fun reset() {
        tools?.smoother?.reset()
    }

    private fun toolsFor(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry): Tools {
        val fits = tools?.fits(labelSet, map, geometry) == true
        return tools.takeIf { fits } ?: Tools(labelSet, map, geometry).also { tools = it }
    }

    /** What is made once for a model. */
    private class Tools(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry) {
        val colorizer =
            LabelColorizer(labelSet, map.width, map.height, geometry.tensorWidth, geometry.tensorHeight)
        val pixels = IntArray(geometry.tensorWidth * geometry.tensorHeight)
        val shares = ClassShares(labelSet)
        val smoother = LabelSmoother(map.width, map.height, DELAY_FRAMES + 1)
        val anchors = ClassAnchors()
        private val single = LabelMap(map.width, map.height)

        fun fits(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry): Boolean =
            colorizer.labelSet == labelSet && colorizer.mapWidth == map.width && colorizer.mapHeight == map.height &&
                colorizer.width == geometry.tensorWidth && colorizer.height == geometry.tensorHeight

        /** [map] with all classes but one made none. */
        fun only(map: LabelMap, index: Int?): LabelMap {
            if (index == null) return map
            val none = colorizer.labelSet.ignoreIndex
            for (i in map.labels.indices) single.labels[i] = if (map.labels[i] == index) index else none
            return single
        }
    }

    internal companion object {
        /** How many frames late a change shows where flicker is smoothed away. */
        const val DELAY_FRAMES = 1

        /** Areas whose inner radius is less than this part of the map's width are too small for a name. */
        private const val SHARE_OF_NAMED_RADIUS = 18

        /** The part of a label map that the picture fills, in places of the map. */
        fun contentOf(map: LabelMap, geometry: FrameGeometry): Box {
            val scaleX = map.width.toDouble() / geometry.tensorWidth
            val scaleY = map.height.toDouble() / geometry.tensorHeight
            val content = geometry.content
            return Box(content.left * scaleX, content.top * scaleY, content.right * scaleX, content.bottom * scaleY)
        }
    }
}
