package org.kerassegformer.demo.ui

import android.net.Uri
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/** Events of the live screen. */
internal sealed interface ScreenEvent {
    /** The activity was started. The permission may have changed. */
    data class Started(val allowed: Boolean) : ScreenEvent

    /** The cameras are known; those of an earlier start may have changed. */
    data class CamerasFound(val facings: List<CameraFacing>) : ScreenEvent

    data object Stopped : ScreenEvent

    data object AskPermission : ScreenEvent

    /** @property mayAskAgain result of `shouldShowRequestPermissionRationale` after a denial */
    data class PermissionAnswered(val allowed: Boolean, val mayAskAgain: Boolean) : ScreenEvent

    data object OpenAppSettings : ScreenEvent

    data class CameraOpened(val hasTorch: Boolean, val mostZoom: Float = 1f) : ScreenEvent

    data class CameraFailed(val failure: CameraFailure) : ScreenEvent

    /** A camera that another app used is available again. */
    data object CameraAvailable : ScreenEvent

    data object RetryCamera : ScreenEvent

    data object Flip : ScreenEvent

    data object ToggleTorch : ScreenEvent

    /** Two fingers changed their distance by [factor]. */
    data class Zoom(val factor: Float) : ScreenEvent

    data object ResetZoom : ScreenEvent

    /** A point of the upright image was tapped, with coordinates 0..1. */
    data class Focus(val x: Float, val y: Float) : ScreenEvent

    data object ToggleFreeze : ScreenEvent

    /** Starts or stops recording a video of the live image. */
    data object ToggleRecording : ScreenEvent

    /** The recording ended by itself. */
    data object RecordingEnded : ScreenEvent

    data object ChoosePicture : ScreenEvent

    data class PictureChosen(val address: String) : ScreenEvent

    data object PictureRead : ScreenEvent

    data object PictureAnalysed : ScreenEvent

    data class PictureFailed(val problem: PictureProblem) : ScreenEvent

    data object RetryPicture : ScreenEvent

    data object BackToCamera : ScreenEvent

    data class ModelChanged(val status: ModelStatus) : ScreenEvent

    data object RestartModel : ScreenEvent

    /** Like [RestartModel], also with the processors that the crash log excludes. */
    data object RetryProcessors : ScreenEvent

    data object OpenSettings : ScreenEvent

    data object CloseSettings : ScreenEvent

    /** Opens a sheet, or closes it if it is open. */
    data class ToggleSheet(val sheet: Sheet) : ScreenEvent

    data object CloseSheet : ScreenEvent

    /** A row of the legend was tapped: shows only its class, or all classes if it is already selected. */
    data class SelectClass(val index: Int) : ScreenEvent

    /** The system's Back. */
    data object Back : ScreenEvent
}

/** Side effects: of a transition, and what the activity does for others. */
internal sealed interface ScreenEffect {
    /** What the activity does, once. */
    sealed interface ForActivity : ScreenEffect

    data object AskPermission : ForActivity

    data object OpenAppSettings : ForActivity

    /** Shows a short message: a string of the resources. */
    class Notify(val text: Int, vararg val arguments: Any) : ForActivity

    /** Shows why an import failed. */
    data class ShowImportProblem(val text: String) : ForActivity

    /** Asks whether an imported model replaces the one of that name, and continues the import. */
    data class AskToReplace(val text: String, val documents: List<Uri>) : ForActivity

    /** Opens the share sheet for a saved image. */
    data class Share(val picture: Uri) : ForActivity

    data class OpenCamera(val facing: CameraFacing) : ScreenEffect

    data object CloseCamera : ScreenEffect

    /** Replaces the frozen frame by a still image at the size of the sensor. */
    data object TakeStill : ScreenEffect

    data object StartRecording : ScreenEffect

    data object StopRecording : ScreenEffect

    data class SetTorch(val on: Boolean) : ScreenEffect

    data class SetZoom(val zoom: Float) : ScreenEffect

    /** Focuses on a point of the upright image, with coordinates 0..1. */
    data class Focus(val x: Float, val y: Float) : ScreenEffect

    data object ChoosePicture : ForActivity

    data class ReadPicture(val address: String) : ScreenEffect

    /** The source changed: removes the displayed result and ignores late ones. */
    data object ClearResult : ScreenEffect

    data object StartModel : ScreenEffect

    data object ForgetFailures : ScreenEffect

    /** Submits the opened image to the model. */
    data object AnalysePicture : ScreenEffect

    data object Leave : ForActivity
}
