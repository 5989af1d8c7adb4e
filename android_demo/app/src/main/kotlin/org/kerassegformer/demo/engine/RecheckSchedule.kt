package org.kerassegformer.demo.engine

/**
 * Decides when an accelerator in use repeats the self-check: a driver may start to fail when the phone gets hot or
 * memory is short.
 *
 * @param intervalNanos time between two checks
 * @param now a monotonic clock in nanoseconds
 */
internal class RecheckSchedule(
    private val intervalNanos: Long = 5 * 60 * 1_000_000_000L,
    private val now: () -> Long = System::nanoTime,
) {
    private var last = now()

    /** A self-check has just passed. */
    fun restart() {
        last = now()
    }

    /** Returns true once per interval. */
    fun isDue(): Boolean {
        if (now() - last < intervalNanos) return false
        restart()
        return true
    }
}
