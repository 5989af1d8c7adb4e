package org.kerassegformer.core

/** The transform that makes an image upright: first the rotation, then, if [mirror] is set, a horizontal flip. */
public data class Orientation(public val rotation: Rotation, public val mirror: Boolean) {
    /** Maps a point of the upright image to the image before this transform; both have coordinates 0..1. */
    public fun undo(point: Point): Point {
        val x = if (mirror) 1 - point.x else point.x
        return when (rotation) {
            Rotation.NONE -> Point(x, point.y)
            Rotation.CLOCKWISE_90 -> Point(point.y, 1 - x)
            Rotation.HALF -> Point(1 - x, 1 - point.y)
            Rotation.CLOCKWISE_270 -> Point(1 - point.y, x)
        }
    }

    public companion object {
        private val EXIF = listOf(
            Orientation(Rotation.NONE, mirror = false),
            Orientation(Rotation.NONE, mirror = true),
            Orientation(Rotation.HALF, mirror = false),
            Orientation(Rotation.HALF, mirror = true),
            Orientation(Rotation.CLOCKWISE_90, mirror = true),
            Orientation(Rotation.CLOCKWISE_90, mirror = false),
            Orientation(Rotation.CLOCKWISE_270, mirror = true),
            Orientation(Rotation.CLOCKWISE_270, mirror = false),
        )

        /** Converts the EXIF tag `Orientation`, 1 to 8; any other value means upright. */
        public fun ofExif(value: Int): Orientation = EXIF.getOrElse(value - 1) { EXIF.first() }

        /**
         * Returns the orientation of camera frames, see `CameraCharacteristics.SENSOR_ORIENTATION`.
         *
         * @param sensorDegrees orientation of the sensor
         * @param displayDegrees rotation of the display (`Surface.ROTATION_*` in degrees)
         * @param front true for a front camera, whose image is mirrored
         * @throws FrameException [FrameFault.BAD_SHAPE]: not multiples of 90 degrees
         */
        public fun ofCamera(sensorDegrees: Int, displayDegrees: Int, front: Boolean): Orientation {
            val sensor = Rotation.of(sensorDegrees).degrees
            val display = Rotation.of(displayDegrees).degrees
            return Orientation(Rotation.of(if (front) sensor + display else sensor - display), mirror = front)
        }
    }
}
