package org.kerassegformer.demo.ui

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * One-time effects for a receiver that is replaced now and then, such as an activity that is recreated when the device
 * is turned. Effects without a receiver wait for the next one, and none is delivered twice.
 */
internal class Effects<T : Any> {
    // An effect that was on its way to a receiver that left meanwhile waits again.
    private val waiting = Channel<T>(Channel.UNLIMITED, onUndeliveredElement = ::send)

    /** Delivers [effect] now or as soon as there is a receiver. On any thread. */
    fun send(effect: T) {
        waiting.trySend(effect)
    }

    /** Calls [receive] with each effect until the coroutine is cancelled. */
    suspend fun collect(receive: (T) -> Unit): Nothing {
        while (true) {
            // A channel with elements does not look for a cancellation.
            currentCoroutineContext().ensureActive()
            receive(waiting.receive())
        }
    }
}
