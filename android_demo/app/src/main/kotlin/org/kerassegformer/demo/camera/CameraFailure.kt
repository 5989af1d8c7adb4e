package org.kerassegformer.demo.camera

/** Why the camera delivers no frames. Each has its own message on the screen. */
internal enum class CameraFailure {
    /** Another app uses the camera, or too many cameras are open. */
    IN_USE,

    /** Another app or the system took over the camera. */
    DISCONNECTED,

    /** A policy or a privacy switch of the device blocks the camera. */
    DISABLED,

    /** The permission was revoked between the check and opening. */
    PERMISSION_DENIED,

    /** The camera, its driver or its service failed, or delivers no frames. */
    FAILED,
    ;

    /** True if the camera can be reopened when the system reports it as available. */
    val isTransient: Boolean
        get() = this == IN_USE || this == DISCONNECTED
}
