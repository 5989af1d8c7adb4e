package org.kerassegformer.demo.ui

import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/** Source of the displayed images. */
internal enum class Source { CAMERA, PICTURE }

/** State of the camera permission. */
internal enum class Permission {
    /** Not requested yet: the screen explains it first. */
    NOT_REQUESTED,

    /** The permission dialog is shown. */
    REQUESTED,
    GRANTED,

    /** Denied; may be requested again. */
    DENIED,

    /** Denied permanently: can only be granted in the system settings. */
    DENIED_PERMANENTLY,
}

/** What the sheet over the controls shows. */
internal enum class Sheet { CLASSES, TIMES }

/** Status of the camera. */
internal sealed interface CameraStatus {
    data object Closed : CameraStatus

    data object Opening : CameraStatus

    /**
     * @property hasTorch true if it has a torch
     * @property mostZoom largest magnification
     */
    data class Streaming(val hasTorch: Boolean, val mostZoom: Float = 1f) : CameraStatus

    data class Failed(val failure: CameraFailure) : CameraStatus
}

/** Status of the model, as far as the screen distinguishes it. */
internal enum class ModelStatus { NONE, STARTING, RUNNING, FAILED, STALLED }

/** Status of the opened image. */
internal sealed interface PictureStatus {
    data object None : PictureStatus

    data object Loading : PictureStatus

    /** Displayed and being segmented. */
    data object Analysing : PictureStatus

    data object Done : PictureStatus

    data class Failed(val problem: PictureProblem) : PictureStatus
}

/**
 * State of the live screen.
 *
 * @property visible true if the activity is started
 * @property facings sides that have a camera, the preferred one first; null until they are read
 * @property picture URI of the opened image; only for [Source.PICTURE]
 * @property zoom magnification of the camera, at least 1
 * @property sheet the open sheet, or null
 * @property frozen true if the last result stays on the screen
 * @property recording true if a video of the live image is recorded
 * @property selectedClass the only class shown, or null for all
 */
internal data class ScreenState(
    val visible: Boolean = false,
    val source: Source = Source.CAMERA,
    val permission: Permission = Permission.NOT_REQUESTED,
    val facings: List<CameraFacing>? = null,
    val facing: CameraFacing = CameraFacing.BACK,
    val camera: CameraStatus = CameraStatus.Closed,
    val torch: Boolean = false,
    val zoom: Float = 1f,
    val frozen: Boolean = false,
    val recording: Boolean = false,
    val model: ModelStatus = ModelStatus.STARTING,
    val picture: String? = null,
    val pictureStatus: PictureStatus = PictureStatus.None,
    val settingsOpen: Boolean = false,
    val sheet: Sheet? = null,
    val selectedClass: Int? = null,
) {
    /** True if camera frames are analysed. */
    val analysing: Boolean
        get() = visible && source == Source.CAMERA && !frozen && camera is CameraStatus.Streaming

    /** True if the torch can be switched. */
    val hasTorch: Boolean
        get() = source == Source.CAMERA && (camera as? CameraStatus.Streaming)?.hasTorch == true

    /** True if there is another camera. */
    val canFlip: Boolean
        get() = source == Source.CAMERA && !frozen && permission == Permission.GRANTED && (facings?.size ?: 0) > 1

    /** True if there is something that the shutter can take, or leave. */
    val hasShutter: Boolean
        get() = source == Source.PICTURE || frozen || camera is CameraStatus.Streaming

    /** True if the displayed image is a still image, which can be saved. */
    val still: Boolean
        get() = if (source == Source.CAMERA) frozen else pictureStatus == PictureStatus.Done
}
