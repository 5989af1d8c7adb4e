package org.kerassegformer.demo.ui

import android.os.Bundle
import org.kerassegformer.demo.camera.CameraFacing

/**
 * What outlives the process: small things alone. A frozen picture does not, and the camera comes back running.
 *
 * @property picture address of the chosen picture, or null with the camera
 */
internal data class ScreenSnapshot(
    val picture: String?,
    val facing: CameraFacing,
    val permission: Permission,
    val settingsOpen: Boolean,
    val timesOpen: Boolean,
) {
    fun writeTo(bundle: Bundle) {
        bundle.putString(PICTURE, picture)
        bundle.putString(FACING, facing.name)
        bundle.putString(PERMISSION, permission.name)
        bundle.putBoolean(SETTINGS_OPEN, settingsOpen)
        bundle.putBoolean(TIMES_OPEN, timesOpen)
    }

    /** [state] with what was kept. The picture itself is read by its address. */
    fun putInto(state: ScreenState): ScreenState = state.copy(
        facing = facing,
        // The system's question went with the process; it answers by itself if it did not.
        permission = if (permission == Permission.ASKING) Permission.UNASKED else permission,
        settingsOpen = settingsOpen,
        timesOpen = timesOpen,
    )

    internal companion object {
        private const val PICTURE = "picture"
        private const val FACING = "facing"
        private const val PERMISSION = "permission"
        private const val SETTINGS_OPEN = "settings_open"
        private const val TIMES_OPEN = "times_open"

        fun of(state: ScreenState): ScreenSnapshot =
            ScreenSnapshot(state.picture, state.facing, state.permission, state.settingsOpen, state.timesOpen)

        /** What a bundle holds; what it lacks is as in a new screen. */
        fun read(bundle: Bundle): ScreenSnapshot {
            val unset = ScreenState()
            return ScreenSnapshot(
                picture = bundle.getString(PICTURE),
                facing = CameraFacing.entries.find { it.name == bundle.getString(FACING) } ?: unset.facing,
                permission = Permission.entries.find { it.name == bundle.getString(PERMISSION) } ?: unset.permission,
                settingsOpen = bundle.getBoolean(SETTINGS_OPEN),
                timesOpen = bundle.getBoolean(TIMES_OPEN),
            )
        }
    }
}
