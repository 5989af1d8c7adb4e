package org.kerassegformer.demo.ui

import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem

/** What happens to the live screen. */
internal sealed interface ScreenEvent {
    /** The screen comes to sight. The permission and the cameras may have changed meanwhile. */
    data class Started(val allowed: Boolean, val facings: List<CameraFacing>) : ScreenEvent

    data object Stopped : ScreenEvent

    data object AskPermission : ScreenEvent

    /** @property mayAskAgain what `shouldShowRequestPermissionRationale` says after a refusal */
    data class PermissionAnswered(val allowed: Boolean, val mayAskAgain: Boolean) : ScreenEvent

    data object OpenAppSettings : ScreenEvent

    data class CameraOpened(val hasTorch: Boolean) : ScreenEvent

    data class CameraFailed(val failure: CameraFailure) : ScreenEvent

    /** A camera that another app had is free again. */
    data object CameraAvailable : ScreenEvent

    data object RetryCamera : ScreenEvent

    data object Flip : ScreenEvent

    data object ToggleTorch : ScreenEvent

    data object ToggleFreeze : ScreenEvent

    data object ChoosePicture : ScreenEvent

    data class PictureChosen(val address: String) : ScreenEvent

    data object PictureRead : ScreenEvent

    data object PictureAnalysed : ScreenEvent

    data class PictureFailed(val problem: PictureProblem) : ScreenEvent

    data object RetryPicture : ScreenEvent

    data object BackToCamera : ScreenEvent

    data class ModelChanged(val status: ModelStatus) : ScreenEvent

    data object RestartModel : ScreenEvent

    data object OpenSettings : ScreenEvent

    data object CloseSettings : ScreenEvent

    data object ToggleTimes : ScreenEvent

    /** A row of the legend was tapped: its class is shown alone, or all again if it was already. */
    data class SelectClass(val index: Int) : ScreenEvent

    /** The way back of the system. */
    data object Back : ScreenEvent
}

/** What the screen is to do, beside showing its new state. */
internal sealed interface ScreenEffect {
    data object AskPermission : ScreenEffect

    data object OpenAppSettings : ScreenEffect

    data class OpenCamera(val facing: CameraFacing) : ScreenEffect

    data object CloseCamera : ScreenEffect

    data class SetTorch(val on: Boolean) : ScreenEffect

    data object ChoosePicture : ScreenEffect

    data class ReadPicture(val address: String) : ScreenEffect

    /** What is shown belongs to another source or camera: take it off the screen, and let no late result of it on. */
    data object ClearResult : ScreenEffect

    data object StartModel : ScreenEffect

    /** The chosen picture is to be given to the model, again where that has changed. */
    data object AnalysePicture : ScreenEffect

    data object Leave : ScreenEffect
}
