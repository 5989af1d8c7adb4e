package org.kerassegformer.demo.ui

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.Rect
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.LabelSet
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.demo.camera.YuvImage
import org.kerassegformer.demo.models.TEST_RUNTIME
import java.io.File
import java.nio.ByteBuffer
import kotlin.math.roundToInt

/** The classes of CamVid with the display colours of the bundled preset. */
internal val CAMVID: LabelSet =
    ModelSpec.parse(File("src/main/assets/models/b0_camvid_int8.json").readText(), TEST_RUNTIME).labelSet

/**
 * The street image of the documentation, and the labels of the bundled model b0_camvid at 512x512, letterboxed:
 *
 *     SegFormer.from_preset("b0_camvid", output_stride=4)(picture padded with (124, 116, 104)).argmax(-1)
 */
internal object StreetScene {
    val file = File("../../docs/street.jpg")

    /** 960x540. */
    fun picture(): Bitmap = decode(file)

    /** Decodes a file from its bytes; decoding from a file descriptor does not work on the JVM. */
    fun decode(file: File): Bitmap {
        val bytes = file.readBytes()
        return checkNotNull(BitmapFactory.decodeByteArray(bytes, 0, bytes.size)) { "$file is not an image." }
    }

    /** The view of a phone in portrait, 480x640. */
    fun upright(): Bitmap {
        val result = Bitmap.createBitmap(480, 640, Bitmap.Config.ARGB_8888)
        val target = Rect(0, 0, 480, 640)
        Canvas(result).drawBitmap(picture(), Rect(30, 0, 435, 540), target, Paint(Paint.FILTER_BITMAP_FLAG))
        return result
    }

    /** Labels of [picture], 128x128. */
    fun labels(): LabelMap = labels("labels.png")

    /** Labels of [upright], 128x128. */
    fun uprightLabels(): LabelMap = labels("labels_upright.png")

    private fun labels(name: String): LabelMap {
        val stream = checkNotNull(StreetScene::class.java.getResourceAsStream("/street/$name")) { "$name is missing." }
        val bitmap = stream.use { BitmapFactory.decodeStream(it) }
        val map = LabelMap(bitmap.width, bitmap.height)
        for (i in map.labels.indices) {
            map.labels[i] = Color.red(bitmap.getPixel(i % bitmap.width, i / bitmap.width))
        }
        return map
    }

    /** [upright] as delivered by a camera whose sensor is rotated by 90 degrees. */
    fun frame(): FakeYuvImage = FakeYuvImage(planes)

    private val planes by lazy { planesOf(upright(), 90) }

    /** A camera frame that must be rotated by [degrees] to be [upright]. */
    fun planesOf(upright: Bitmap, degrees: Int): YuvPlanes {
        val turn = Matrix().apply { setRotate(-degrees.toFloat()) }
        return YuvPlanes(Bitmap.createBitmap(upright, 0, 0, upright.width, upright.height, turn, false))
    }
}

/** An image as three contiguous planes, with chroma subsampled by 2. */
internal class YuvPlanes(picture: Bitmap) {
    val width = picture.width
    val height = picture.height
    val chromaWidth = (width + 1) / 2
    val buffers: List<ByteBuffer>

    init {
        val chroma = chromaWidth * ((height + 1) / 2)
        buffers = listOf(width * height, chroma, chroma).map(ByteBuffer::allocateDirect)
        val pixels = IntArray(width * height)
        picture.getPixels(pixels, 0, width, 0, 0, width, height)
        for (y in 0 until height) {
            for (x in 0 until width) write(x, y, pixels[y * width + x])
        }
    }

    /** BT.601 full range, like cameras. */
    private fun write(x: Int, y: Int, color: Int) {
        val r = Color.red(color)
        val g = Color.green(color)
        val b = Color.blue(color)
        buffers[0].put(y * width + x, byte(0.299 * r + 0.587 * g + 0.114 * b))
        if (x % 2 != 0 || y % 2 != 0) return
        val place = y / 2 * chromaWidth + x / 2
        buffers[1].put(place, byte(128 - 0.168736 * r - 0.331264 * g + 0.5 * b))
        buffers[2].put(place, byte(128 + 0.5 * r - 0.418688 * g - 0.081312 * b))
    }

    private fun byte(value: Double): Byte = value.roundToInt().coerceIn(0, 255).toByte()
}

/** A frame that records that it was closed. */
internal class FakeYuvImage(private val planes: YuvPlanes) : YuvImage {
    override val width: Int = planes.width
    override val height: Int = planes.height
    override val ageNanos: Long = 21_000_000

    var closed = false
        private set

    override fun buffer(index: Int): ByteBuffer = planes.buffers[index]

    override fun rowStride(index: Int): Int = if (index == 0) width else planes.chromaWidth

    override fun pixelStride(index: Int): Int = 1

    override fun close() {
        check(!closed) { "The frame was closed twice." }
        closed = true
    }
}
