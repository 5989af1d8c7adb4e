package org.kerassegformer.demo.pictures

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import org.kerassegformer.core.Orientation
import org.kerassegformer.core.PictureSampling
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream

/** Reads pictures of the user: large ones sampled down while they are decoded, and turned as their EXIF says. */
internal class PictureReader(private val resolver: ContentResolver) {
    /**
     * Reads a picture. Takes a while: not for the main thread.
     *
     * @param uri address of a document
     * @return upright, ARGB_8888, neither side above [LARGEST_SIDE]
     * @throws PictureException it cannot be read, and why
     */
    fun read(uri: Uri): Bitmap = try {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        open(uri) { BitmapFactory.decodeStream(it, null, bounds) }
        if (bounds.outWidth <= 0 || bounds.outHeight <= 0) throw PictureException(PictureProblem.BROKEN)
        val orientation = open(uri, ::orientationOf)
        val options = BitmapFactory.Options().apply { inSampleSize = sampleSize(bounds.outWidth, bounds.outHeight) }
        val decoded = open(uri) { BitmapFactory.decodeStream(it, null, options) }
            ?: throw PictureException(PictureProblem.BROKEN)
        upright(decoded, orientation)
    } catch (e: FileNotFoundException) {
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: SecurityException) {
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: IOException) {
        throw PictureException(PictureProblem.BROKEN, e)
    } catch (e: OutOfMemoryError) {
        throw PictureException(PictureProblem.TOO_LARGE, e)
    } catch (e: IllegalArgumentException) {
        // What providers throw at addresses that they no longer know.
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: RuntimeException) {
        // Of a provider or a decoder that fails.
        throw PictureException(PictureProblem.BROKEN, e)
    }

    private fun <T> open(uri: Uri, read: (InputStream) -> T): T =
        (resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri")).buffered().use(read)

    private fun orientationOf(stream: InputStream): Orientation = try {
        val tag = ExifInterface(stream)
            .getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)
        Orientation.ofExif(tag)
    } catch (_: IOException) {
        // Formats without EXIF are upright.
        Orientation.ofExif(ExifInterface.ORIENTATION_NORMAL)
    }

    /** Decodes to at least [LARGEST_SIDE] where the picture has that much; [upright] scales the rest. */
    private fun sampleSize(width: Int, height: Int): Int {
        val longer = maxOf(width, height)
        return PictureSampling.sampleSize(longer, longer, LARGEST_SIDE, LARGEST_SIDE)
    }

    private fun upright(decoded: Bitmap, orientation: Orientation): Bitmap {
        val scale = minOf(1f, LARGEST_SIDE.toFloat() / maxOf(decoded.width, decoded.height))
        val matrix = Matrix().apply {
            postScale(scale, scale)
            postRotate(orientation.rotation.degrees.toFloat())
            if (orientation.mirror) postScale(-1f, 1f)
        }
        val turned = Bitmap.createBitmap(decoded, 0, 0, decoded.width, decoded.height, matrix, true)
        if (turned.config == Bitmap.Config.ARGB_8888) return turned
        return turned.copy(Bitmap.Config.ARGB_8888, false) ?: throw PictureException(PictureProblem.TOO_LARGE)
    }

    internal companion object {
        /** Longest side of a picture on the screen and in a saved file, in pixels: 16 MB of memory at most. */
        const val LARGEST_SIDE = 2048
    }
}
