package org.kerassegformer.core

/** `PowerManager.THERMAL_STATUS_*`, in their order. */
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
        /** Of Android's number; those that are not known count as the nearest. */
        public fun of(value: Int): ThermalStatus = entries[value.coerceIn(entries.indices)]
    }
}

/** Lowers the frame rate of a hot device. For one thread. */
public class FrameGovernor {
    /** As the device says it. */
    public var status: ThermalStatus = ThermalStatus.NONE

    private var lastNanos = NEVER

    /** Most frames per second, or null for as many as can be had; 0 when none may be computed. */
    public val maxFps: Int?
        get() = when (status) {
            ThermalStatus.NONE, ThermalStatus.LIGHT, ThermalStatus.MODERATE -> null
            ThermalStatus.SEVERE -> SEVERE_FPS
            ThermalStatus.CRITICAL -> CRITICAL_FPS
            ThermalStatus.EMERGENCY, ThermalStatus.SHUTDOWN -> 0
        }

    /** Whether a frame that came at that time is to be computed; if so, it counts as computed. */
    public fun admits(atNanos: Long): Boolean {
        val most = maxFps
        val last = lastNanos
        val isAdmitted = when {
            most == 0 -> false
            // A clock that goes back belongs to another camera.
            most == null || last == NEVER || atNanos < last -> true
            else -> atNanos - last >= NANOS_PER_SECOND / most - JITTER_NANOS
        }
        if (isAdmitted) lastNanos = atNanos
        return isAdmitted
    }

    private companion object {
        const val NEVER = Long.MIN_VALUE
        const val SEVERE_FPS = 5
        const val CRITICAL_FPS = 1
        const val NANOS_PER_SECOND = 1_000_000_000L

        /** Frames come some milliseconds early or late; half a frame of a camera at 60 per second is allowed for. */
        const val JITTER_NANOS = 8_000_000L
    }
}
