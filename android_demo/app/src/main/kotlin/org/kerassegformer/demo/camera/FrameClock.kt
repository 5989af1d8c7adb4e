package org.kerassegformer.demo.camera

import android.hardware.camera2.CameraMetadata
import android.os.SystemClock

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
