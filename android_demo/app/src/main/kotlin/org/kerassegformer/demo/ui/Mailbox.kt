package org.kerassegformer.demo.ui

/**
 * Keeps messages for an owner that is replaced now and then, such as an activity that is recreated when the device is
 * turned. Messages without an owner wait for the next one. Main thread only.
 */
internal class Mailbox<T : Any> {
    private val waiting = ArrayDeque<(T) -> Unit>()

    /** The owner that can handle messages now, or null. */
    var owner: T? = null
        set(value) {
            field = value
            deliver()
        }

    /** Calls [message] with the owner, now or as soon as there is one. */
    fun post(message: (T) -> Unit) {
        waiting += message
        deliver()
    }

    private fun deliver() {
        while (waiting.isNotEmpty()) {
            val owner = owner ?: return
            waiting.removeFirst()(owner)
        }
    }
}
