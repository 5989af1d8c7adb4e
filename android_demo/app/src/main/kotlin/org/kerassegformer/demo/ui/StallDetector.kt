package org.kerassegformer.demo.ui

import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.engine.TimeLimits

/** Detects that a model returns no labels for its frames. Thread-safe; times are in milliseconds of one clock. */
internal class StallDetector(private val limitMillis: Long = LIMIT_MILLIS) {
    private var waitingSince: Long? = null

    /** A frame was submitted. */
    @Synchronized
    fun submitted(now: Long) {
        if (waitingSince == null) waitingSince = now
    }

    /** Labels have arrived. */
    @Synchronized
    fun answered() {
        waitingSince = null
    }

    /** Stops waiting. */
    @Synchronized
    fun stop() {
        waitingSince = null
    }

    /** Returns true if labels are overdue; never while thermal throttling allows no frames. */
    @Synchronized
    fun isStalled(now: Long, thermalState: ThermalState): Boolean {
        val since = waitingSince ?: return false
        if (thermalState.maxFps == 0) return false
        return now - since > limitMillis
    }

    internal companion object {
        /** Longer than the engine waits for an inference: it then falls back to the CPU by itself. */
        const val LIMIT_MILLIS = TimeLimits.RUN_MILLIS + 5_000L
    }
}
