package org.kerassegformer.core

/** What a frame passes through. */
public enum class Phase { CAMERA, INPUT, INFERENCE, OUTPUT, DRAW }

/** Milliseconds of a phase: median and ninetieth percentile, between neighbours interpolated, of [count] frames. */
public data class Timing(public val p50: Double, public val p90: Double, public val count: Int) {
    public companion object {
        /** Of times in milliseconds, or null where there are none. */
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
 * Times of the last frames by phase, and frames per second; noting them makes nothing. For any thread.
 *
 * @param window number of frames that are looked at, at least 2
 */
public class LatencyStats(window: Int = 120) {
    private val durations = Phase.entries.associateWith { Ring(window) }
    private val shown = Ring(window)

    /** Notes how long a phase took. */
    @Synchronized
    public fun record(phase: Phase, nanos: Long) {
        durations.getValue(phase).add(nanos)
    }

    /** Notes that a frame was shown. */
    @Synchronized
    public fun frameShown(atNanos: Long) {
        shown.add(atNanos)
    }

    /** Of a phase, or null before its first frame. */
    @Synchronized
    public fun timing(phase: Phase): Timing? =
        Timing.of(durations.getValue(phase).values().map { it / NANOS_PER_MILLI })

    /** Frames per second between the first and the last frame looked at; 0 before the second frame. */
    @get:Synchronized
    public val fps: Double
        get() {
            val times = shown.values()
            val nanos = if (times.size < 2) 0 else times.last() - times.first()
            return if (nanos > 0) (times.size - 1) * NANOS_PER_SECOND / nanos else 0.0
        }

    /** Forgets all frames. */
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

/** The last values, from the oldest to the newest. */
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
