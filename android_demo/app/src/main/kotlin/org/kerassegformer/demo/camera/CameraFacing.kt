package org.kerassegformer.demo.camera

/** The side of the device that a camera faces. An external camera counts as [BACK]: it is not mirrored. */
internal enum class CameraFacing {
    BACK,
    FRONT,
    ;

    /** The other side. */
    fun other(): CameraFacing = if (this == BACK) FRONT else BACK
}
