package org.kerassegformer.demo.engine

import android.content.res.AssetManager
import android.graphics.BitmapFactory
import org.kerassegformer.core.FrameGeometry
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.PictureToInput
import java.io.IOException
import java.nio.ByteBuffer

/** The image on which the self-check compares processors. */
internal fun interface SelfCheckImage {
    /** Writes the model's input `(height, width, 3)` to the direct buffer [input] of `spec.byteCount` bytes. */
    fun writeTo(input: ByteBuffer, spec: InputSpec)
}

/** The bundled image: a street scene with several classes. */
internal class BundledSelfCheckImage(private val assets: AssetManager) : SelfCheckImage {
    private var converter: PictureToInput? = null
    private val picture: Pixels by lazy(::decode)

    /** The engine and a processor that is being tried use it at the same time. */
    @Synchronized
    override fun writeTo(input: ByteBuffer, spec: InputSpec) {
        converterFor(spec).convert(picture.argb, input)
    }

    private fun converterFor(spec: InputSpec): PictureToInput {
        val geometry = FrameGeometry(picture.width, picture.height, spec.width, spec.height)
        return converter?.takeIf { it.geometry == geometry && it.type == spec.type }
            ?: PictureToInput(geometry, spec.type).also { converter = it }
    }

    private fun decode(): Pixels {
        val bitmap = assets.open(PATH).use(BitmapFactory::decodeStream)
            ?: throw IOException("The bundled image $PATH cannot be decoded: reinstall the app.")
        val argb = IntArray(bitmap.width * bitmap.height)
        bitmap.getPixels(argb, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
        return Pixels(argb, bitmap.width, bitmap.height).also { bitmap.recycle() }
    }

    private class Pixels(val argb: IntArray, val width: Int, val height: Int)

    private companion object {
        const val PATH = "self_check.jpg"
    }
}
