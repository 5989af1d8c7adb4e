package org.kerassegformer.core

/** Phases of processing a frame. */
public enum class Phase { CAMERA, INPUT, INFERENCE, OUTPUT, DRAW }

/** Median and 90th percentile of a phase in milliseconds, linearly interpolated, over [count] frames. */
public data class Timing(public val p50: Double, public val p90: Double, public val count: Int) {
    public companion object {
        /** Computes the percentiles of times in milliseconds; null if there are none. */
        public fun of(millis: Collection<Double>): Timing? {
            if (millis.isEmpty()) return null
            val sorted = millis.sorted()
            return Timing(percentile(sorted, 0.5), percentile(sorted, 0.9), sorted.size)
        }

        private fun percentile(sorted: List<Double>, share: Double): Double {
            val place = share * (sorted.size - 1)
            val below = place.toInt()
            val above = minOf(below + 1, sorted.size - 1)
            return sorted[below] + (place - below) * (sorted[above] - sorted[below])
        }
    }
}

/**
 * Latencies at one time.
 *
 * @property timings latency of each phase that was recorded
 * @property fps frames per second; 0 before the second frame
 */
public data class LatencySummary(
    public val timings: Map<Phase, Timing> = emptyMap(),
    public val fps: Double = 0.0,
)

/**
 * Latency of each phase and frame rate over a window of recent frames. Recording allocates nothing. Thread-safe.
 *
 * @param window number of frames, at least 2
 */
public class LatencyStats(window: Int = 120) {
    private val durations = Phase.entries.associateWith { Ring(window) }
    private val shown = Ring(window)

    /** Records the duration of a phase. */
    @Synchronized
    public fun record(phase: Phase, nanos: Long) {
        durations.getValue(phase).add(nanos)
    }

    /** Records that a frame was displayed. */
    @Synchronized
    public fun frameShown(atNanos: Long) {
        shown.add(atNanos)
    }

    /** Returns the latency of a phase, or null if nothing was recorded. */
    @Synchronized
    public fun timing(phase: Phase): Timing? =
        Timing.of(durations.getValue(phase).values().map { it / NANOS_PER_MILLI })

    /** Frames per second over the window; 0 before the second frame. */
    @get:Synchronized
    public val fps: Double
        get() {
            val times = shown.values()
            val nanos = if (times.size < 2) 0 else times.last() - times.first()
            return if (nanos > 0) (times.size - 1) * NANOS_PER_SECOND / nanos else 0.0
        }

    /** Returns the latency of every phase, and the frame rate. */
    @Synchronized
    public fun summary(): LatencySummary =
        LatencySummary(Phase.entries.mapNotNull { phase -> timing(phase)?.let { phase to it } }.toMap(), fps)

    /** Clears all records. */
    @Synchronized
    public fun reset() {
        durations.values.forEach { it.clear() }
        shown.clear()
    }

    private companion object {
        const val NANOS_PER_MILLI = 1e6
        const val NANOS_PER_SECOND = 1e9
    }
}

/** Ring buffer of the latest values. */
private class Ring(window: Int) {
    private val content = LongArray(window.coerceAtLeast(2))
    private var count = 0L

    fun add(value: Long) {
        content[(count++ % content.size).toInt()] = value
    }

    fun clear() {
        count = 0
    }

    fun values(): List<Long> {
        val size = minOf(count, content.size.toLong())
        return (count - size until count).map { content[(it % content.size).toInt()] }
    }
}
