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

/** Decodes images of the user: subsamples large ones and applies the EXIF orientation. */
internal class PictureReader(private val resolver: ContentResolver) {
    /**
     * Decodes an image. Blocking: do not call on the main thread.
     *
     * @param uri URI of a document
     * @return upright bitmap, ARGB_8888, with sides of at most [LARGEST_SIDE]
     * @throws PictureException it cannot be read
     */
    fun read(uri: Uri): Bitmap = guarded {
        val orientation = open(uri, ::orientationOf)
        decode(LARGEST_SIDE, orientation) { options -> open(uri) { BitmapFactory.decodeStream(it, null, options) } }
    }

    /**
     * Decodes a still image of the camera. Blocking: do not call on the main thread.
     *
     * @return upright bitmap, ARGB_8888, with sides of at most [largestSide]
     * @throws PictureException it cannot be decoded
     */
    fun read(still: CapturedStill, largestSide: Int = LARGEST_SIDE): Bitmap = guarded {
        decode(largestSide, still.orientation) { BitmapFactory.decodeByteArray(still.jpeg, 0, still.jpeg.size, it) }
    }

    private fun decode(
        largestSide: Int,
        orientation: Orientation,
        decodeWith: (BitmapFactory.Options) -> Bitmap?,
    ): Bitmap {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        decodeWith(bounds)
        if (bounds.outWidth <= 0 || bounds.outHeight <= 0) throw PictureException(PictureProblem.CORRUPT)
        val longer = maxOf(bounds.outWidth, bounds.outHeight)
        val options = BitmapFactory.Options().apply {
            // Keeps the longer side at or above the largest one; upright does the remaining scaling.
            inSampleSize = PictureSampling.sampleSize(longer, longer, largestSide, largestSide)
        }
        val decoded = decodeWith(options) ?: throw PictureException(PictureProblem.CORRUPT)
        return upright(decoded, orientation, largestSide)
    }

    private fun guarded(read: () -> Bitmap): Bitmap = try {
        read()
    } catch (e: FileNotFoundException) {
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: SecurityException) {
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: IOException) {
        throw PictureException(PictureProblem.CORRUPT, e)
    } catch (e: OutOfMemoryError) {
        throw PictureException(PictureProblem.TOO_LARGE, e)
    } catch (e: IllegalArgumentException) {
        // Thrown by providers for unknown URIs.
        throw PictureException(PictureProblem.MISSING, e)
    } catch (e: RuntimeException) {
        // A provider or a decoder failed.
        throw PictureException(PictureProblem.CORRUPT, e)
    }

    private fun <T> open(uri: Uri, read: (InputStream) -> T): T =
        (resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri")).buffered().use(read)

    private fun orientationOf(stream: InputStream): Orientation = try {
        val tag = ExifInterface(stream)
            .getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)
        Orientation.ofExif(tag)
    } catch (_: IOException) {
        // Formats without EXIF count as upright.
        Orientation.ofExif(ExifInterface.ORIENTATION_NORMAL)
    }

    private fun upright(decoded: Bitmap, orientation: Orientation, largestSide: Int): Bitmap {
        val scale = minOf(1f, largestSide.toFloat() / maxOf(decoded.width, decoded.height))
        val matrix = Matrix().apply {
            postScale(scale, scale)
            postRotate(orientation.rotation.degrees.toFloat())
            if (orientation.mirror) postScale(-1f, 1f)
        }
        val turned = Bitmap.createBitmap(decoded, 0, 0, decoded.width, decoded.height, matrix, true)
        if (turned !== decoded) decoded.recycle()
        if (turned.config == Bitmap.Config.ARGB_8888) return turned
        return turned.copy(Bitmap.Config.ARGB_8888, false) ?: throw PictureException(PictureProblem.TOO_LARGE)
    }

    internal companion object {
        /** Maximum side of a displayed or saved image in pixels: at most 16 MB of memory. */
        const val LARGEST_SIDE = 2048
    }
}

/** Why an image of the user cannot be displayed. Each has its own message on the screen. */
internal enum class PictureProblem {
    /** The document or the permission to read it no longer exists. */
    MISSING,

    /** Damaged, truncated, or not an image. */
    CORRUPT,

    /** Not enough memory. */
    TOO_LARGE,
}

/** Thrown if an image cannot be displayed. */
internal class PictureException(val problem: PictureProblem, cause: Throwable? = null) :
    Exception("The image cannot be displayed: ${problem.name.lowercase()}.", cause)
