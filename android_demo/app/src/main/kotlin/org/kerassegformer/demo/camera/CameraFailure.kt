package org.kerassegformer.demo.camera

/** Why no frames come. Each has its own message and remedy on the screen. */
internal enum class CameraFailure {
    /** Another app holds the camera, or too many cameras are open. */
    IN_USE,

    /** It was ours, and was taken away by another app or by the system. */
    TAKEN_AWAY,

    /** A policy or a privacy switch of the device forbids it. */
    DISABLED,

    /** The permission went away between the check and the opening. */
    NOT_ALLOWED,

    /** The device, its driver or its service failed, or delivers no frames. */
    BROKEN,
    ;

    /** Whether it is worth opening again as soon as the system says that the camera is free. */
    val passes: Boolean
        get() = this == IN_USE || this == TAKEN_AWAY
}
