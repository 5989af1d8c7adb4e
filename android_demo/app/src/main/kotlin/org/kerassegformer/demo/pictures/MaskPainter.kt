package org.kerassegformer.demo.pictures

import android.graphics.Bitmap
import org.kerassegformer.core.Box
import org.kerassegformer.core.ClassShares
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.LabelColorizer
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelSet
import org.kerassegformer.core.LabelSmoother

/** Renders the labels of images: mask, class shares and label anchors. Reuses its buffers. Not thread-safe. */
internal class MaskPainter {
    private var tools: Tools? = null

    /**
     * Updates [SegmentedPicture.mask], [SegmentedPicture.shares] and [SegmentedPicture.anchors] from the labels.
     *
     * @param onlyClass the only class to render, or null for all
     * @param smoothing true to smooth the labels over time, for video; those of very large maps are left as they are
     */
    fun paint(picture: SegmentedPicture, onlyClass: Int? = null, smoothing: Boolean = false) {
        val map = checkNotNull(picture.map) { "The image has no labels." }
        val labelSet = checkNotNull(picture.labelSet) { "The image has no label set." }
        val geometry = checkNotNull(picture.geometry) { "The image has not been processed by a model." }
        val tools = toolsFor(labelSet, map, geometry)
        if (smoothing) tools.smoother?.smooth(map)
        val content = contentOf(map, geometry)
        tools.shares.count(map, content)
        picture.shares = tools.shares.list()
        picture.anchors = tools.anchors.find(map, content, leastRadius = maxOf(2, map.width / LABEL_RADIUS_DIVISOR))
            .filter { labelSet.names.getOrNull(it.index) != null && (onlyClass == null || it.index == onlyClass) }
        tools.colorizer.draw(tools.only(map, onlyClass), tools.pixels)
        val mask = picture.mask?.takeIf { it.width == geometry.tensorWidth && it.height == geometry.tensorHeight }
            ?: Bitmap.createBitmap(geometry.tensorWidth, geometry.tensorHeight, Bitmap.Config.ARGB_8888)
        mask.setPixels(tools.pixels, 0, mask.width, 0, 0, mask.width, mask.height)
        picture.mask = mask
        picture.onlyClass = onlyClass
    }

    /** Resets temporal smoothing, for example after switching cameras. */
    fun reset() {
        tools?.smoother?.reset()
    }

    private fun toolsFor(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry): Tools {
        val fits = tools?.fits(labelSet, map, geometry) == true
        return tools.takeIf { fits } ?: Tools(labelSet, map, geometry).also { tools = it }
    }

    /** Objects that are created once per model. */
    private class Tools(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry) {
        val colorizer =
            LabelColorizer(labelSet, map.width, map.height, geometry.tensorWidth, geometry.tensorHeight)
        val pixels = IntArray(geometry.tensorWidth * geometry.tensorHeight)
        val shares = ClassShares(labelSet)
        val smoother by lazy(LazyThreadSafetyMode.NONE) {
            if (canSmooth(map, labelSet)) LabelSmoother(map.width, map.height, labelSet) else null
        }
        val anchors = ClassAnchors()
        private val single = LabelMap(map.width, map.height)

        fun fits(labelSet: LabelSet, map: LabelMap, geometry: FrameGeometry): Boolean =
            colorizer.labelSet == labelSet && colorizer.mapWidth == map.width && colorizer.mapHeight == map.height &&
                colorizer.width == geometry.tensorWidth && colorizer.height == geometry.tensorHeight

        /** Returns [map] with all classes but one replaced by the ignore index. */
        fun only(map: LabelMap, index: Int?): LabelMap {
            if (index == null) return map
            map.copyOnly(index, colorizer.labelSet.ignoreIndex, single)
            return single
        }
    }

    internal companion object {
        /** Returns true if labels of this size can be smoothed. */
        fun canSmooth(map: LabelMap, labelSet: LabelSet): Boolean =
            LabelSmoother.fits(map.width, map.height, labelSet)

        /** Segments with a radius below the map's width divided by this are too small for a label. */
        private const val LABEL_RADIUS_DIVISOR = 18

        /** Returns the region of a label map that the image fills, in pixels of the map. */
        fun contentOf(map: LabelMap, geometry: FrameGeometry): Box {
            val scaleX = map.width.toDouble() / geometry.tensorWidth
            val scaleY = map.height.toDouble() / geometry.tensorHeight
            val content = geometry.content
            return Box(content.left * scaleX, content.top * scaleY, content.right * scaleX, content.bottom * scaleY)
        }
    }
}
