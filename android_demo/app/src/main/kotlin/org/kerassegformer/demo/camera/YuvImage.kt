package org.kerassegformer.demo.camera

import android.hardware.camera2.CameraMetadata
import android.media.Image
import android.os.SystemClock
import java.nio.ByteBuffer

/** The three planes of a frame, as in [Image]; tests create them from arrays. */
internal interface YuvImage : AutoCloseable {
    val width: Int
    val height: Int

    /** Time from exposure to delivery, in nanoseconds; 0 if unknown. */
    val ageNanos: Long

    /** @param index 0 for luma, 1 and 2 for blue and red chroma */
    fun buffer(index: Int): ByteBuffer

    fun rowStride(index: Int): Int

    fun pixelStride(index: Int): Int

    override fun close()
}

/** A Camera2 frame. @param onClose called when it is closed */
internal class ImageYuv(
    private val image: Image,
    override val ageNanos: Long,
    private val onClose: () -> Unit,
) : YuvImage {
    private val planes = image.planes
    override val width: Int = image.width
    override val height: Int = image.height

    override fun buffer(index: Int): ByteBuffer = planes[index].buffer

    override fun rowStride(index: Int): Int = planes[index].rowStride

    override fun pixelStride(index: Int): Int = planes[index].pixelStride

    override fun close() {
        image.close()
        onClose()
    }
}

/** The clock of a camera's timestamps. */
internal class FrameClock(private val now: () -> Long) {
    /** Returns the time since exposure in nanoseconds, or 0 if the timestamp is from another clock. */
    fun ageNanos(stamp: Long): Long = (now() - stamp).takeIf { it in 1..MOST_NANOS } ?: 0

    internal companion object {
        private const val MOST_NANOS = 5_000_000_000L

        /** @param source `SENSOR_INFO_TIMESTAMP_SOURCE`, or null if unknown */
        fun of(source: Int?): FrameClock =
            if (source == CameraMetadata.SENSOR_INFO_TIMESTAMP_SOURCE_REALTIME) {
                FrameClock(SystemClock::elapsedRealtimeNanos)
            } else {
                FrameClock(System::nanoTime)
            }
    }
}
