package org.kerassegformer.demo.ui

import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/**
 * An action offered by a message.
 *
 * @property label string resource of the button
 */
internal data class MessageAction(val label: Int, val event: ScreenEvent)

/**
 * A message in the centre of the screen.
 *
 * @property title string resource
 * @property text string resource; null for a text from elsewhere, or none
 * @property actions buttons, the default one first
 * @property busy true for a progress indicator
 */
internal enum class ScreenMessage(
    val title: Int,
    val text: Int? = null,
    val icon: Int = R.drawable.ic_warning,
    val actions: List<MessageAction> = emptyList(),
    val busy: Boolean = false,
) {
    PERMISSION(
        R.string.permission_title,
        R.string.permission_text,
        R.drawable.ic_camera,
        listOf(MessageAction(R.string.permission_ask, ScreenEvent.AskPermission), OPEN_PICTURE),
    ),
    PERMISSION_DENIED_PERMANENTLY(
        R.string.permission_denied_title,
        R.string.permission_denied_text,
        R.drawable.ic_camera,
        listOf(MessageAction(R.string.permission_settings, ScreenEvent.OpenAppSettings), OPEN_PICTURE),
    ),
    CAMERA_ABSENT(
        R.string.camera_absent_title,
        R.string.camera_absent_text,
        R.drawable.ic_picture,
        listOf(OPEN_PICTURE),
    ),
    CAMERA_OPENING(R.string.camera_opening, busy = true),
    CAMERA_IN_USE(R.string.camera_in_use_title, R.string.camera_in_use_text, actions = CAMERA_ACTIONS),
    CAMERA_DISCONNECTED(
        R.string.camera_disconnected_title,
        R.string.camera_disconnected_text,
        actions = CAMERA_ACTIONS,
    ),
    CAMERA_DISABLED(R.string.camera_disabled_title, R.string.camera_disabled_text, actions = CAMERA_ACTIONS),
    CAMERA_FAILED(R.string.camera_failed_title, R.string.camera_failed_text, actions = CAMERA_ACTIONS),
    MODEL_STARTING(R.string.model_loading_title, R.string.model_loading_text, busy = true),
    MODEL_NONE(
        R.string.model_none_title,
        R.string.model_none_text,
        actions = listOf(MessageAction(R.string.model_choose, ScreenEvent.OpenSettings)),
    ),
    MODEL_FAILED(
        R.string.model_failed_title,
        actions = listOf(
            MessageAction(R.string.model_choose, ScreenEvent.OpenSettings),
            MessageAction(R.string.retry, ScreenEvent.RetryProcessors),
        ),
    ),
    MODEL_STALLED(
        R.string.model_stalled_title,
        R.string.model_stalled_text,
        actions = listOf(
            MessageAction(R.string.model_restart, ScreenEvent.RestartModel),
            MessageAction(R.string.settings, ScreenEvent.OpenSettings),
        ),
    ),
    PICTURE_LOADING(R.string.picture_loading, busy = true),
    PICTURE_ANALYSING(R.string.picture_analysing, busy = true),
    PICTURE_MISSING(R.string.picture_failed_title, R.string.picture_missing_text, actions = PICTURE_ACTIONS),
    PICTURE_CORRUPT(R.string.picture_failed_title, R.string.picture_corrupt_text, actions = PICTURE_ACTIONS),
    PICTURE_TOO_LARGE(
        R.string.picture_failed_title,
        R.string.picture_large_text,
        actions = listOf(MessageAction(R.string.retry, ScreenEvent.RetryPicture), OPEN_PICTURE),
    ),
    ;

    internal companion object {
        /** Returns the message for a state, or null. */
        fun of(state: ScreenState): ScreenMessage? =
            if (state.source == Source.CAMERA) ofCamera(state) else ofPicture(state)

        private fun ofCamera(state: ScreenState): ScreenMessage? = when {
            state.frozen -> null
            state.facings?.isEmpty() == true -> CAMERA_ABSENT
            state.permission == Permission.DENIED_PERMANENTLY -> PERMISSION_DENIED_PERMANENTLY
            state.permission != Permission.GRANTED -> PERMISSION
            state.camera is CameraStatus.Failed -> ofFailure(state.camera.failure)
            else -> ofModel(state.model) ?: CAMERA_OPENING.takeIf { state.camera == CameraStatus.Opening }
        }

        private fun ofFailure(failure: CameraFailure): ScreenMessage = when (failure) {
            CameraFailure.IN_USE -> CAMERA_IN_USE
            CameraFailure.DISCONNECTED -> CAMERA_DISCONNECTED
            CameraFailure.DISABLED -> CAMERA_DISABLED
            CameraFailure.PERMISSION_DENIED -> PERMISSION
            CameraFailure.FAILED -> CAMERA_FAILED
        }

        private fun ofPicture(state: ScreenState): ScreenMessage? = when (val status = state.pictureStatus) {
            is PictureStatus.Failed -> when (status.problem) {
                PictureProblem.MISSING -> PICTURE_MISSING
                PictureProblem.CORRUPT -> PICTURE_CORRUPT
                PictureProblem.TOO_LARGE -> PICTURE_TOO_LARGE
            }
            PictureStatus.Loading, PictureStatus.None -> PICTURE_LOADING
            PictureStatus.Analysing -> ofModel(state.model) ?: PICTURE_ANALYSING
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

private val OPEN_PICTURE = MessageAction(R.string.open_picture, ScreenEvent.ChoosePicture)
private val CAMERA_ACTIONS = listOf(MessageAction(R.string.retry, ScreenEvent.RetryCamera), OPEN_PICTURE)
private val PICTURE_ACTIONS = listOf(OPEN_PICTURE, MessageAction(R.string.back_to_camera, ScreenEvent.BackToCamera))
