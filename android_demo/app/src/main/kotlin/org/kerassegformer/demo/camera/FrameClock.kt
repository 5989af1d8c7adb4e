package org.kerassegformer.demo.camera

import android.hardware.camera2.CameraMetadata
import android.os.SystemClock

/** The clock that stamps the frames of a camera. */
internal class FrameClock(private val now: () -> Long) {
    /** Time since the exposure of a frame in nanoseconds, or 0 where the stamp is of another clock. */
    fun ageNanos(stamp: Long): Long = (now() - stamp).takeIf { it in 1..MOST_NANOS } ?: 0

    internal companion object {
        private const val MOST_NANOS = 5_000_000_000L

        /** @param source `SENSOR_INFO_TIMESTAMP_SOURCE`, or null where the camera does not say */
        fun of(source: Int?): FrameClock =
            if (source == CameraMetadata.SENSOR_INFO_TIMESTAMP_SOURCE_REALTIME) {
                FrameClock(SystemClock::elapsedRealtimeNanos)
            } else {
                FrameClock(System::nanoTime)
            }
    }
}
