package org.kerassegformer.core

/** What makes a picture upright: first the turn, then, if [mirror], the flip left to right. */
public data class Orientation(public val rotation: Rotation, public val mirror: Boolean) {
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

        /** Of the EXIF tag `Orientation`, 1 to 8; pictures with any other value are upright. */
        public fun ofExif(value: Int): Orientation = EXIF.getOrElse(value - 1) { EXIF.first() }

        /**
         * Of a camera, as the documentation of `CameraCharacteristics.SENSOR_ORIENTATION` has it.
         *
         * @param sensorDegrees how the sensor is mounted
         * @param displayDegrees how the display is turned (`Surface.ROTATION_*` in degrees)
         * @param front whether it faces the user, who expects a mirror
         * @throws FrameException [FrameFault.BAD_SHAPE]: no multiples of 90 degrees
         */
        public fun ofCamera(sensorDegrees: Int, displayDegrees: Int, front: Boolean): Orientation {
            val sensor = Rotation.of(sensorDegrees).degrees
            val display = Rotation.of(displayDegrees).degrees
            return Orientation(Rotation.of(if (front) sensor + display else sensor - display), mirror = front)
        }
    }
}
