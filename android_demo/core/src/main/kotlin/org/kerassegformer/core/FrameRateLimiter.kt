package org.kerassegformer.core

/** `PowerManager.THERMAL_STATUS_*`, in the same order. */
public enum class ThermalStatus {
    NONE,
    LIGHT,
    MODERATE,
    SEVERE,
    CRITICAL,
    EMERGENCY,
    SHUTDOWN,
    ;

    public companion object {
        /** Converts Android's constant; unknown values are clamped. */
        public fun of(value: Int): ThermalStatus = entries[value.coerceIn(entries.indices)]
    }
}

/** Limits the frame rate: to [COOL_FPS], and further on a hot device. Not thread-safe. */
public class FrameRateLimiter {
    /** The device's current thermal status. */
    public var status: ThermalStatus = ThermalStatus.NONE

    private var lastNanos = NEVER

    /** Maximum frames per second of a hot device: null if it is not hot, 0 if no frame may be processed. */
    public val maxFps: Int?
        get() = when (status) {
            ThermalStatus.NONE, ThermalStatus.LIGHT, ThermalStatus.MODERATE -> null
            ThermalStatus.SEVERE -> SEVERE_FPS
            ThermalStatus.CRITICAL -> CRITICAL_FPS
            ThermalStatus.EMERGENCY, ThermalStatus.SHUTDOWN -> 0
        }

    /** Returns true if a frame that arrives at this time may be processed, and counts it as processed. */
    public fun admits(atNanos: Long): Boolean {
        val most = maxFps ?: COOL_FPS
        val last = lastNanos
        val isAdmitted = when {
            most == 0 -> false
            // A clock that jumps back belongs to another camera.
            last == NEVER || atNanos < last -> true
            else -> atNanos - last >= NANOS_PER_SECOND / most - JITTER_NANOS
        }
        if (isAdmitted) lastNanos = atNanos
        return isAdmitted
    }

    public companion object {
        /** Frames per second of a cool device: more heat it, and cannot be told apart. */
        public const val COOL_FPS: Int = 30
        private const val NEVER = Long.MIN_VALUE
        private const val SEVERE_FPS = 5
        private const val CRITICAL_FPS = 1
        private const val NANOS_PER_SECOND = 1_000_000_000L

        /** Tolerance for frames that arrive early: half the frame interval of a 60 fps camera. */
        private const val JITTER_NANOS = 8_000_000L
    }
}
