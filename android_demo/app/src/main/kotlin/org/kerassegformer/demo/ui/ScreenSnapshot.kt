package org.kerassegformer.demo.ui

import android.os.Bundle
import org.kerassegformer.demo.camera.CameraFacing

/**
 * State that survives process death. Frozen images are not saved: the camera is live again.
 *
 * @property picture URI of the opened image, or null for the camera
 */
internal data class ScreenSnapshot(
    val picture: String?,
    val facing: CameraFacing,
    val permission: Permission,
    val settingsOpen: Boolean,
    val sheet: Sheet?,
) {
    fun writeTo(bundle: Bundle) {
        bundle.putString(PICTURE, picture)
        bundle.putString(FACING, facing.name)
        bundle.putString(PERMISSION, permission.name)
        bundle.putBoolean(SETTINGS_OPEN, settingsOpen)
        bundle.putString(SHEET, sheet?.name)
    }

    /** Returns [state] with the saved values. The image is read again from its URI. */
    fun putInto(state: ScreenState): ScreenState = state.copy(
        facing = facing,
        // The permission dialog is gone with the process; if not, its result still arrives.
        permission = if (permission == Permission.REQUESTED) Permission.NOT_REQUESTED else permission,
        settingsOpen = settingsOpen,
        sheet = sheet,
    )

    internal companion object {
        private const val PICTURE = "picture"
        private const val FACING = "facing"
        private const val PERMISSION = "permission"
        private const val SETTINGS_OPEN = "settings_open"
        private const val SHEET = "sheet"

        fun of(state: ScreenState): ScreenSnapshot =
            ScreenSnapshot(state.picture, state.facing, state.permission, state.settingsOpen, state.sheet)

        /** Reads a bundle; missing values have their defaults. */
        fun read(bundle: Bundle): ScreenSnapshot {
            val unset = ScreenState()
            return ScreenSnapshot(
                picture = bundle.getString(PICTURE),
                facing = CameraFacing.entries.find { it.name == bundle.getString(FACING) } ?: unset.facing,
                permission = Permission.entries.find { it.name == bundle.getString(PERMISSION) } ?: unset.permission,
                settingsOpen = bundle.getBoolean(SETTINGS_OPEN),
                sheet = Sheet.entries.find { it.name == bundle.getString(SHEET) },
            )
        }
    }
}
