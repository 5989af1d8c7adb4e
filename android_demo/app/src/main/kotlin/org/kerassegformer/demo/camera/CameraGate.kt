package org.kerassegformer.demo.camera

/**
 * Lets one camera in at a time: many phones can only open a camera once the previous one has closed, which takes a
 * while and is reported by a callback. One thread only.
 *
 * @param schedule runs an action on that thread after a delay in milliseconds
 */
internal class CameraGate(private val schedule: (Long, () -> Unit) -> Unit) {
    private var inside: Any? = null
    private var waiting: Pair<Any, () -> Unit>? = null
    private var onEmpty: (() -> Unit)? = null

    /** Lets [camera] in and calls [open] as soon as no other is inside; replaces one that is still waiting. */
    fun enter(camera: Any, open: () -> Unit) {
        waiting = camera to open
        admit()
    }

    /** [camera] is no longer wanted. It leaves when [leave] is called, or after [LONGEST_CLOSE_MILLIS]. */
    fun closing(camera: Any) {
        if (waiting?.first === camera) waiting = null
        if (inside === camera) schedule(LONGEST_CLOSE_MILLIS) { leave(camera) } else report()
    }

    /** [camera] has closed, or could not be opened. */
    fun leave(camera: Any) {
        if (inside !== camera) return
        inside = null
        admit()
    }

    /** Calls [action] once no camera is inside or waiting. */
    fun whenEmpty(action: () -> Unit) {
        onEmpty = action
        report()
    }

    private fun admit() {
        val (camera, open) = waiting ?: return report()
        if (inside != null) return
        waiting = null
        inside = camera
        open()
    }

    private fun report() {
        if (inside != null || waiting != null) return
        val action = onEmpty ?: return
        onEmpty = null
        action()
    }

    internal companion object {
        /** A driver that never reports the end must not block the next camera. */
        const val LONGEST_CLOSE_MILLIS = 3_000L
    }
}

/**
 * Detects that a camera becomes available after another app has used it. Android reports the state of all cameras, and
 * of each one as soon as the callback is registered.
 *
 * @param id the camera
 */
internal class CameraAvailability(private val id: String) {
    private var wasUnavailable = false

    /** A camera is used by an app, or disconnected. */
    fun onUnavailable(camera: String) {
        if (camera == id) wasUnavailable = true
    }

    /** A camera is available. @return true if it is the one with [id], which was unavailable before */
    fun onAvailable(camera: String): Boolean {
        if (camera != id || !wasUnavailable) return false
        wasUnavailable = false
        return true
    }
}
