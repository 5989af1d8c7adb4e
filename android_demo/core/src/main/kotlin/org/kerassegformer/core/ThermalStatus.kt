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
