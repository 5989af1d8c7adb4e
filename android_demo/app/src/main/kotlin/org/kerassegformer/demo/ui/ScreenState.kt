package org.kerassegformer.demo.ui

import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/** Where the pictures on the screen come from. */
internal enum class Source { CAMERA, PICTURE }

/** What the user has said to the camera. */
internal enum class Permission {
    /** Nothing yet: the screen explains first. */
    UNASKED,

    /** The system's question is on the screen. */
    ASKING,
    GRANTED,

    /** Refused, and may be asked again. */
    REFUSED,

    /** Refused for good: only the settings of the system can change it. */
    REFUSED_FOR_GOOD,
}

/** What the camera does. */
internal sealed interface CameraStatus {
    data object Closed : CameraStatus

    data object Opening : CameraStatus

    /** @property hasTorch whether it has a light that can stay on */
    data class Streaming(val hasTorch: Boolean) : CameraStatus

    data class Failed(val failure: CameraFailure) : CameraStatus
}

/** What the model does, as far as the screen tells it apart; the words for it come from the engine's state. */
internal enum class ModelStatus { NONE, STARTING, RUNNING, FAILED, STALLED }

/** What became of the picture that was chosen. */
internal sealed interface PictureStatus {
    data object None : PictureStatus

    data object Reading : PictureStatus

    /** It is shown, and the model has not answered yet. */
    data object Working : PictureStatus

    data object Done : PictureStatus

    data class Failed(val problem: PictureProblem) : PictureStatus
}

/**
 * All that decides which parts the live screen shows and what runs behind them.
 *
 * @property visible whether the screen is started, in front or beside another app
 * @property facings sides that have a camera, the preferred first; null until the list was read
 * @property picture address of the chosen picture, of [Source.PICTURE] alone
 * @property frozen whether the last result stays on the screen
 * @property selectedClass the class that is shown alone, or null for all
 */
internal data class ScreenState(
    val visible: Boolean = false,
    val source: Source = Source.CAMERA,
    val permission: Permission = Permission.UNASKED,
    val facings: List<CameraFacing>? = null,
    val facing: CameraFacing = CameraFacing.BACK,
    val camera: CameraStatus = CameraStatus.Closed,
    val torch: Boolean = false,
    val frozen: Boolean = false,
    val model: ModelStatus = ModelStatus.STARTING,
    val picture: String? = null,
    val pictureStatus: PictureStatus = PictureStatus.None,
    val settingsOpen: Boolean = false,
    val timesOpen: Boolean = false,
    val selectedClass: Int? = null,
) {
    /** Whether frames of the camera are wanted by the model. */
    val analysing: Boolean
        get() = visible && source == Source.CAMERA && !frozen && camera is CameraStatus.Streaming

    /** Whether a light can be switched now. */
    val hasTorch: Boolean
        get() = source == Source.CAMERA && (camera as? CameraStatus.Streaming)?.hasTorch == true

    /** Whether there is another camera to change to. */
    val canFlip: Boolean
        get() = source == Source.CAMERA && permission == Permission.GRANTED && (facings?.size ?: 0) > 1

    /** Whether the picture on the screen stands still, so that it can be saved as it is seen. */
    val still: Boolean
        get() = if (source == Source.CAMERA) frozen else pictureStatus == PictureStatus.Done
}
