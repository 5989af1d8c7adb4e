package org.kerassegformer.demo.camera

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
