package org.kerassegformer.demo.ui

import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/**
 * What the user can do about a message.
 *
 * @property label resource of the button's text
 */
internal data class Remedy(val label: Int, val event: ScreenEvent)

/**
 * A message in the middle of the screen.
 *
 * @property title resource of a text
 * @property text resource of a text; null where the words come from elsewhere, or there are none
 * @property remedies buttons, the usual one first
 * @property busy whether it only asks for patience
 */
internal enum class ScreenMessage(
    val title: Int,
    val text: Int? = null,
    val icon: Int = R.drawable.ic_warning,
    val remedies: List<Remedy> = emptyList(),
    val busy: Boolean = false,
) {
    PERMISSION(
        R.string.permission_title,
        R.string.permission_text,
        R.drawable.ic_camera,
        listOf(Remedy(R.string.permission_ask, ScreenEvent.AskPermission), OPEN_PICTURE),
    ),
    PERMISSION_REFUSED_FOR_GOOD(
        R.string.permission_forever_title,
        R.string.permission_forever_text,
        R.drawable.ic_camera,
        listOf(Remedy(R.string.permission_settings, ScreenEvent.OpenAppSettings), OPEN_PICTURE),
    ),
    CAMERA_ABSENT(
        R.string.camera_absent_title,
        R.string.camera_absent_text,
        R.drawable.ic_picture,
        listOf(OPEN_PICTURE),
    ),
    CAMERA_OPENING(R.string.camera_opening, busy = true),
    CAMERA_IN_USE(R.string.camera_used_title, R.string.camera_used_text, remedies = CAMERA_REMEDIES),
    CAMERA_TAKEN_AWAY(R.string.camera_taken_title, R.string.camera_taken_text, remedies = CAMERA_REMEDIES),
    CAMERA_DISABLED(R.string.camera_disabled_title, R.string.camera_disabled_text, remedies = CAMERA_REMEDIES),
    CAMERA_BROKEN(R.string.camera_failed_title, R.string.camera_failed_text, remedies = CAMERA_REMEDIES),
    MODEL_STARTING(R.string.model_loading_title, R.string.model_loading_text, busy = true),
    MODEL_NONE(
        R.string.model_none_title,
        R.string.model_none_text,
        remedies = listOf(Remedy(R.string.model_choose, ScreenEvent.OpenSettings)),
    ),
    MODEL_FAILED(
        R.string.model_failed_title,
        remedies = listOf(
            Remedy(R.string.model_choose, ScreenEvent.OpenSettings),
            Remedy(R.string.retry, ScreenEvent.RestartModel),
        ),
    ),
    MODEL_STALLED(
        R.string.model_stalled_title,
        R.string.model_stalled_text,
        remedies = listOf(
            Remedy(R.string.model_restart, ScreenEvent.RestartModel),
            Remedy(R.string.settings, ScreenEvent.OpenSettings),
        ),
    ),
    PICTURE_READING(R.string.picture_loading, busy = true),
    PICTURE_WORKING(R.string.picture_working, busy = true),
    PICTURE_MISSING(R.string.picture_failed_title, R.string.picture_missing_text, remedies = PICTURE_REMEDIES),
    PICTURE_BROKEN(R.string.picture_failed_title, R.string.picture_broken_text, remedies = PICTURE_REMEDIES),
    PICTURE_TOO_LARGE(
        R.string.picture_failed_title,
        R.string.picture_large_text,
        remedies = listOf(Remedy(R.string.retry, ScreenEvent.RetryPicture), OPEN_PICTURE),
    ),
    ;

    internal companion object {
        /** The message that belongs to a state, or null where the screen speaks for itself. */
        fun of(state: ScreenState): ScreenMessage? =
            if (state.source == Source.CAMERA) ofCamera(state) else ofPicture(state)

        private fun ofCamera(state: ScreenState): ScreenMessage? = when {
            state.frozen -> null
            state.facings?.isEmpty() == true -> CAMERA_ABSENT
            state.permission == Permission.REFUSED_FOR_GOOD -> PERMISSION_REFUSED_FOR_GOOD
            state.permission != Permission.GRANTED -> PERMISSION
            state.camera is CameraStatus.Failed -> ofFailure(state.camera.failure)
            else -> ofModel(state.model) ?: CAMERA_OPENING.takeIf { state.camera == CameraStatus.Opening }
        }

        private fun ofFailure(failure: CameraFailure): ScreenMessage = when (failure) {
            CameraFailure.IN_USE -> CAMERA_IN_USE
            CameraFailure.TAKEN_AWAY -> CAMERA_TAKEN_AWAY
            CameraFailure.DISABLED -> CAMERA_DISABLED
            CameraFailure.NOT_ALLOWED -> PERMISSION
            CameraFailure.BROKEN -> CAMERA_BROKEN
        }

        private fun ofPicture(state: ScreenState): ScreenMessage? = when (val status = state.pictureStatus) {
            is PictureStatus.Failed -> when (status.problem) {
                PictureProblem.MISSING -> PICTURE_MISSING
                PictureProblem.BROKEN -> PICTURE_BROKEN
                PictureProblem.TOO_LARGE -> PICTURE_TOO_LARGE
            }
            PictureStatus.Reading, PictureStatus.None -> PICTURE_READING
            PictureStatus.Working -> ofModel(state.model) ?: PICTURE_WORKING
            PictureStatus.Done -> null
        }

        private fun ofModel(status: ModelStatus): ScreenMessage? = when (status) {
            ModelStatus.NONE -> MODEL_NONE
            ModelStatus.STARTING -> MODEL_STARTING
            ModelStatus.RUNNING -> null
            ModelStatus.FAILED -> MODEL_FAILED
            ModelStatus.STALLED -> MODEL_STALLED
        }
    }
}

private val OPEN_PICTURE = Remedy(R.string.open_picture, ScreenEvent.ChoosePicture)
private val CAMERA_REMEDIES = listOf(Remedy(R.string.retry, ScreenEvent.RetryCamera), OPEN_PICTURE)
private val PICTURE_REMEDIES = listOf(OPEN_PICTURE, Remedy(R.string.back_to_camera, ScreenEvent.BackToCamera))
