package org.kerassegformer.demo.ui

import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure

/** A new state with its side effects, in order. */
internal data class Transition(val state: ScreenState, val effects: List<ScreenEffect> = emptyList())

/** State machine of the live screen, as a pure function for testability. */
internal object ScreenStateMachine {
    /** Returns the transition for [event] in [state]. Events that do not apply leave the state unchanged. */
    fun next(state: ScreenState, event: ScreenEvent): Transition {
        val next = transition(state, event)
        // Whatever ends the live image ends its video, before the camera closes.
        if (!next.state.recording || next.state.analysing) return next
        return Transition(next.state.copy(recording = false), listOf(ScreenEffect.StopRecording) + next.effects)
    }

    private fun transition(state: ScreenState, event: ScreenEvent): Transition = when (event) {
        is ScreenEvent.Started -> started(state, event)
        is ScreenEvent.CamerasFound -> camerasFound(state, event.facings)
        ScreenEvent.Stopped -> closeCamera(state.copy(visible = false))
        ScreenEvent.AskPermission -> askPermission(state)
        is ScreenEvent.PermissionAnswered -> permissionAnswered(state, event)
        ScreenEvent.OpenAppSettings -> Transition(state, listOf(ScreenEffect.OpenAppSettings))
        is ScreenEvent.CameraOpened -> cameraOpened(state, event)
        is ScreenEvent.CameraFailed -> cameraFailed(state, event.failure)
        ScreenEvent.CameraAvailable -> if (isFailureTransient(state)) openCamera(state) else Transition(state)
        ScreenEvent.RetryCamera -> if (state.camera is CameraStatus.Failed) openCamera(state) else Transition(state)
        ScreenEvent.Flip -> flip(state)
        ScreenEvent.ToggleTorch -> toggleTorch(state)
        is ScreenEvent.Zoom -> zoom(state, state.zoom * event.factor)
        ScreenEvent.ResetZoom -> zoom(state, 1f)
        is ScreenEvent.Focus ->
            Transition(state, if (state.analysing) listOf(ScreenEffect.Focus(event.x, event.y)) else emptyList())
        ScreenEvent.ToggleFreeze -> toggleFreeze(state)
        ScreenEvent.ToggleRecording -> toggleRecording(state)
        ScreenEvent.RecordingEnded -> Transition(state.copy(recording = false))
        ScreenEvent.ChoosePicture -> Transition(state, listOf(ScreenEffect.ChoosePicture))
        is ScreenEvent.PictureChosen -> readPicture(state, event.address)
        ScreenEvent.PictureRead -> pictureRead(state)
        ScreenEvent.PictureAnalysed -> pictureAnalysed(state)
        is ScreenEvent.PictureFailed -> pictureFailed(state, event)
        ScreenEvent.RetryPicture -> state.picture?.let { readPicture(state, it) } ?: Transition(state)
        ScreenEvent.BackToCamera -> backToCamera(state)
        is ScreenEvent.ModelChanged -> modelChanged(state, event.status)
        ScreenEvent.RestartModel ->
            Transition(state.copy(model = ModelStatus.STARTING), listOf(ScreenEffect.StartModel))
        ScreenEvent.RetryProcessors -> Transition(
            state.copy(model = ModelStatus.STARTING),
            listOf(ScreenEffect.ForgetFailures, ScreenEffect.StartModel),
        )
        ScreenEvent.OpenSettings -> Transition(state.copy(settingsOpen = true))
        ScreenEvent.CloseSettings -> Transition(state.copy(settingsOpen = false))
        is ScreenEvent.ToggleSheet -> Transition(state.copy(sheet = event.sheet.takeIf { it != state.sheet }))
        ScreenEvent.CloseSheet -> Transition(state.copy(sheet = null))
        is ScreenEvent.SelectClass ->
            Transition(state.copy(selectedClass = event.index.takeIf { it != state.selectedClass }))
        ScreenEvent.Back -> back(state)
    }

    private fun started(state: ScreenState, event: ScreenEvent.Started): Transition {
        val permission = when {
            event.allowed -> Permission.GRANTED
            // Revoked in the system settings: it may be requested again.
            state.permission == Permission.GRANTED -> Permission.NOT_REQUESTED
            else -> state.permission
        }
        return openCamera(state.copy(visible = true, permission = permission))
    }

    private fun camerasFound(state: ScreenState, facings: List<CameraFacing>): Transition {
        val facing = state.facing.takeIf { it in facings } ?: facings.firstOrNull() ?: CameraFacing.BACK
        return openCamera(state.copy(facings = facings, facing = facing))
    }

    private fun askPermission(state: ScreenState): Transition =
        Transition(state.copy(permission = Permission.REQUESTED), listOf(ScreenEffect.AskPermission))

    private fun permissionAnswered(state: ScreenState, event: ScreenEvent.PermissionAnswered): Transition {
        val permission = when {
            event.allowed -> Permission.GRANTED
            event.mayAskAgain -> Permission.DENIED
            else -> Permission.DENIED_PERMANENTLY
        }
        return openCamera(state.copy(permission = permission))
    }

    /** Opens the camera if possible; otherwise leaves the state unchanged. */
    private fun openCamera(state: ScreenState): Transition {
        val possible = state.visible && state.source == Source.CAMERA && state.permission == Permission.GRANTED &&
            !state.facings.isNullOrEmpty()
        val running = state.camera == CameraStatus.Opening || state.camera is CameraStatus.Streaming
        if (!possible || running) return Transition(state)
        return Transition(state.copy(camera = CameraStatus.Opening), listOf(ScreenEffect.OpenCamera(state.facing)))
    }

    private fun closeCamera(state: ScreenState): Transition {
        val closed = state.copy(camera = CameraStatus.Closed, torch = false, zoom = 1f)
        val wasOpen = state.camera != CameraStatus.Closed
        return Transition(closed, if (wasOpen) listOf(ScreenEffect.CloseCamera) else emptyList())
    }

    private fun cameraOpened(state: ScreenState, event: ScreenEvent.CameraOpened): Transition =
        if (state.camera != CameraStatus.Opening) {
            Transition(state)
        } else {
            val streaming = CameraStatus.Streaming(event.hasTorch, event.mostZoom)
            Transition(state.copy(camera = streaming, torch = false, zoom = 1f))
        }

    private fun cameraFailed(state: ScreenState, failure: CameraFailure): Transition {
        if (state.camera == CameraStatus.Closed) return Transition(state)
        val permission = if (failure == CameraFailure.PERMISSION_DENIED) Permission.NOT_REQUESTED else state.permission
        val failed = state.copy(camera = CameraStatus.Failed(failure), torch = false, permission = permission)
        // A frozen image stays; a live one would look like the current view.
        return Transition(failed, if (state.frozen) emptyList() else listOf(ScreenEffect.ClearResult))
    }

    private fun isFailureTransient(state: ScreenState): Boolean =
        (state.camera as? CameraStatus.Failed)?.failure?.isTransient == true

    private fun flip(state: ScreenState): Transition {
        if (!state.canFlip) return Transition(state)
        val closed = closeCamera(state.copy(facing = state.facing.other(), frozen = false, selectedClass = null))
        val opened = openCamera(closed.state)
        return Transition(opened.state, closed.effects + ScreenEffect.ClearResult + opened.effects)
    }

    private fun toggleTorch(state: ScreenState): Transition {
        if (!state.hasTorch) return Transition(state)
        return Transition(state.copy(torch = !state.torch), listOf(ScreenEffect.SetTorch(!state.torch)))
    }

    private fun zoom(state: ScreenState, wanted: Float): Transition {
        val streaming = state.camera as? CameraStatus.Streaming ?: return Transition(state)
        val zoom = wanted.coerceIn(1f, maxOf(1f, streaming.mostZoom))
        if (!state.analysing || zoom == state.zoom) return Transition(state)
        return Transition(state.copy(zoom = zoom), listOf(ScreenEffect.SetZoom(zoom)))
    }

    private fun toggleFreeze(state: ScreenState): Transition {
        if (state.source != Source.CAMERA) return Transition(state)
        val takesStill = !state.frozen && state.camera is CameraStatus.Streaming
        val effects = if (takesStill) listOf(ScreenEffect.TakeStill) else emptyList()
        return Transition(state.copy(frozen = !state.frozen), effects)
    }

    private fun toggleRecording(state: ScreenState): Transition = when {
        state.recording -> Transition(state.copy(recording = false), listOf(ScreenEffect.StopRecording))
        state.analysing -> Transition(state.copy(recording = true), listOf(ScreenEffect.StartRecording))
        else -> Transition(state)
    }

    private fun readPicture(state: ScreenState, address: String): Transition {
        val closed = closeCamera(state)
        val reading = closed.state.copy(
            source = Source.PICTURE,
            picture = address,
            pictureStatus = PictureStatus.Loading,
            frozen = false,
            settingsOpen = false,
            selectedClass = null,
        )
        return Transition(reading, closed.effects + ScreenEffect.ClearResult + ScreenEffect.ReadPicture(address))
    }

    private fun pictureRead(state: ScreenState): Transition =
        if (state.source == Source.PICTURE && state.pictureStatus == PictureStatus.Loading) {
            Transition(state.copy(pictureStatus = PictureStatus.Analysing), listOf(ScreenEffect.AnalysePicture))
        } else {
            Transition(state)
        }

    private fun pictureAnalysed(state: ScreenState): Transition =
        if (state.pictureStatus == PictureStatus.Analysing) {
            Transition(state.copy(pictureStatus = PictureStatus.Done))
        } else {
            Transition(state)
        }

    private fun pictureFailed(state: ScreenState, event: ScreenEvent.PictureFailed): Transition =
        if (state.source == Source.PICTURE) {
            val failed = PictureStatus.Failed(event.problem)
            Transition(state.copy(pictureStatus = failed), listOf(ScreenEffect.ClearResult))
        } else {
            Transition(state)
        }

    private fun backToCamera(state: ScreenState): Transition {
        if (state.source == Source.CAMERA) return Transition(state)
        val camera = state.copy(
            source = Source.CAMERA,
            picture = null,
            pictureStatus = PictureStatus.None,
            selectedClass = null,
        )
        val opened = openCamera(camera)
        return Transition(opened.state, listOf(ScreenEffect.ClearResult) + opened.effects)
    }

    private fun modelChanged(state: ScreenState, status: ModelStatus): Transition {
        val changed = state.copy(model = status)
        val shown = state.pictureStatus == PictureStatus.Done || state.pictureStatus == PictureStatus.Analysing
        val again = status == ModelStatus.STARTING && shown
        // Labels of the previous model must not be shown under the name of the new one.
        if (!again) return Transition(changed)
        return Transition(changed.copy(pictureStatus = PictureStatus.Analysing), listOf(ScreenEffect.AnalysePicture))
    }

    /** Returns true if [ScreenEvent.Back] leads to another state of the screen, and false if it leaves the app. */
    fun handlesBack(state: ScreenState): Boolean = ScreenEffect.Leave !in back(state).effects

    private fun back(state: ScreenState): Transition = when {
        state.settingsOpen -> Transition(state.copy(settingsOpen = false))
        state.sheet != null -> Transition(state.copy(sheet = null))
        state.selectedClass != null -> Transition(state.copy(selectedClass = null))
        state.source == Source.PICTURE -> backToCamera(state)
        state.frozen -> Transition(state.copy(frozen = false))
        else -> Transition(state, listOf(ScreenEffect.Leave))
    }
}
