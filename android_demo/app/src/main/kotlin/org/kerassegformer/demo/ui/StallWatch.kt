package org.kerassegformer.demo.ui

import org.kerassegformer.demo.engine.Heat

/** Notices that a model takes frames and gives no labels. For any thread; times in milliseconds of one clock. */
internal class StallWatch(private val limitMillis: Long = LIMIT_MILLIS) {
    private var waitingSince: Long? = null

    /** A frame was handed over. */
    @Synchronized
    fun submitted(now: Long) {
        if (waitingSince == null) waitingSince = now
    }

    /** Labels have come. */
    @Synchronized
    fun answered() {
        waitingSince = null
    }

    /** Nothing is waited for any more. */
    @Synchronized
    fun stop() {
        waitingSince = null
    }

    /** Whether labels are overdue; never while the device is so hot that no frames are computed. */
    @Synchronized
    fun isStalled(now: Long, heat: Heat): Boolean {
        val since = waitingSince ?: return false
        if (heat.maxFps == 0) return false
        return now - since > limitMillis
    }

    internal companion object {
        /** Longer than the slowest phone takes for a picture, and than the engine's own patience. */
        const val LIMIT_MILLIS = 12_000L
    }
}
