package org.kerassegformer.demo.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.pictures.PictureProblem
import kotlin.random.Random

internal class ScreenStateMachineTest {
    private val both = listOf(CameraFacing.BACK, CameraFacing.FRONT)
    private var state = ScreenState()
    private var effects = emptyList<ScreenEffect>()

    private fun send(vararg events: ScreenEvent) {
        for (event in events) {
            val transition = ScreenStateMachine.next(state, event)
            state = transition.state
            effects = transition.effects
        }
    }

    private fun stream(facings: List<CameraFacing> = both) = send(
        ScreenEvent.CamerasFound(facings), ScreenEvent.Started(allowed = true),
        ScreenEvent.CameraOpened(hasTorch = true),
        ScreenEvent.ModelChanged(ModelStatus.RUNNING),
    )

    @Test
    fun `opens the camera if the permission is granted`() {
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = true))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
        assertEquals(CameraStatus.Opening, state.camera)
        assertFalse(state.analysing)
        send(ScreenEvent.CameraOpened(hasTorch = false))
        assertTrue(state.analysing)
    }

    @Test
    fun `explains the permission before requesting it`() {
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = false))
        assertEquals(emptyList<ScreenEffect>(), effects)
        assertEquals(ScreenMessage.PERMISSION, ScreenMessage.of(state))
        send(ScreenEvent.AskPermission)
        assertEquals(listOf(ScreenEffect.AskPermission), effects)
    }

    @Test
    fun `opens the camera when the permission is granted`() {
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = false), ScreenEvent.AskPermission)
        send(ScreenEvent.PermissionAnswered(allowed = true, mayAskAgain = false))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `distinguishes a denial from a permanent one`() {
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = false), ScreenEvent.AskPermission)
        send(ScreenEvent.PermissionAnswered(allowed = false, mayAskAgain = true))
        assertEquals(Permission.DENIED, state.permission)
        assertEquals(ScreenMessage.PERMISSION, ScreenMessage.of(state))
        send(ScreenEvent.PermissionAnswered(allowed = false, mayAskAgain = false))
        assertEquals(ScreenMessage.PERMISSION_DENIED_PERMANENTLY, ScreenMessage.of(state))
        send(ScreenEvent.OpenAppSettings)
        assertEquals(listOf(ScreenEffect.OpenAppSettings), effects)
        send(ScreenEvent.Stopped, ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = true))
        assertEquals(CameraStatus.Opening, state.camera)
    }

    @Test
    fun `requests a revoked permission again`() {
        stream()
        send(ScreenEvent.Stopped, ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = false))
        assertEquals(Permission.NOT_REQUESTED, state.permission)
        assertEquals(CameraStatus.Closed, state.camera)
    }

    @Test
    fun `a device without a camera offers images and requests no permission`() {
        send(ScreenEvent.CamerasFound(emptyList()), ScreenEvent.Started(allowed = false))
        assertEquals(ScreenMessage.CAMERA_ABSENT, ScreenMessage.of(state))
        send(ScreenEvent.CamerasFound(emptyList()), ScreenEvent.Started(allowed = true))
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `uses the front camera if it is the only one`() {
        send(ScreenEvent.CamerasFound(listOf(CameraFacing.FRONT)), ScreenEvent.Started(allowed = true))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.FRONT)), effects)
        assertFalse(state.canFlip)
    }

    @Test
    fun `closes the camera in the background and reopens it`() {
        stream()
        send(ScreenEvent.Stopped)
        assertEquals(listOf(ScreenEffect.CloseCamera), effects)
        assertFalse(state.analysing)
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = true))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `retrying a model that cannot run includes the processors of the crash log`() {
        stream()
        send(ScreenEvent.ModelChanged(ModelStatus.FAILED))
        send(ScreenMessage.of(state)!!.actions.last().event)
        assertEquals(listOf(ScreenEffect.ForgetFailures, ScreenEffect.StartModel), effects)
        assertEquals(ModelStatus.STARTING, state.model)
    }

    @Test
    fun `switches the camera and removes the image of the other one`() {
        stream()
        send(ScreenEvent.ToggleTorch, ScreenEvent.Flip)
        val expected = listOf(
            ScreenEffect.CloseCamera,
            ScreenEffect.ClearResult,
            ScreenEffect.OpenCamera(CameraFacing.FRONT),
        )
        assertEquals(expected, effects)
        assertFalse(state.torch)
    }

    @Test
    fun `a video is recorded of the live image alone`() {
        send(ScreenEvent.ToggleRecording)
        assertEquals(emptyList<ScreenEffect>(), effects)
        stream()
        send(ScreenEvent.ToggleRecording)
        assertEquals(listOf(ScreenEffect.StartRecording), effects)
        send(ScreenEvent.ToggleTorch, ScreenEvent.OpenSettings, ScreenEvent.SelectClass(1))
        assertTrue(state.recording)
        send(ScreenEvent.ToggleRecording)
        assertEquals(listOf(ScreenEffect.StopRecording), effects)
        assertFalse(state.recording)
    }

    @Test
    fun `a video ends before the camera closes`() {
        val ends = listOf(
            ScreenEvent.Stopped, ScreenEvent.Flip, ScreenEvent.ToggleFreeze, ScreenEvent.PictureChosen("content://a"),
            ScreenEvent.CameraFailed(CameraFailure.entries.first()),
        )
        for (end in ends) {
            state = ScreenState()
            stream()
            send(ScreenEvent.ToggleRecording, end)
            assertEquals("$end", ScreenEffect.StopRecording, effects.first())
            assertFalse(state.recording)
        }
    }

    @Test
    fun `a video that ended by itself can be followed by another`() {
        stream()
        send(ScreenEvent.ToggleRecording, ScreenEvent.RecordingEnded)
        assertFalse(state.recording)
        send(ScreenEvent.ToggleRecording)
        assertEquals(listOf(ScreenEffect.StartRecording), effects)
    }

    @Test
    fun `switches the torch only if there is one`() {
        stream()
        send(ScreenEvent.ToggleTorch)
        assertEquals(listOf(ScreenEffect.SetTorch(true)), effects)
        send(ScreenEvent.ToggleTorch)
        assertEquals(listOf(ScreenEffect.SetTorch(false)), effects)
        send(ScreenEvent.Flip, ScreenEvent.CameraOpened(hasTorch = false), ScreenEvent.ToggleTorch)
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `each camera failure has its own message`() {
        val messages = CameraFailure.entries.map { failure ->
            state = ScreenState()
            stream()
            send(ScreenEvent.CameraFailed(failure))
            assertEquals(listOf(ScreenEffect.ClearResult), effects)
            checkNotNull(ScreenMessage.of(state))
        }
        assertEquals(CameraFailure.entries.size, messages.toSet().size)
        for (message in messages - ScreenMessage.PERMISSION) {
            assertEquals(ScreenEvent.RetryCamera, message.actions.first().event)
        }
        send(ScreenEvent.RetryCamera)
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `reopens automatically when the camera becomes available`() {
        stream()
        send(ScreenEvent.CameraFailed(CameraFailure.DISCONNECTED), ScreenEvent.CameraAvailable)
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `does not retry a failed camera automatically`() {
        stream()
        send(ScreenEvent.CameraFailed(CameraFailure.FAILED), ScreenEvent.CameraAvailable)
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `a frozen image stays when the camera fails`() {
        stream()
        send(ScreenEvent.ToggleFreeze)
        assertEquals(listOf(ScreenEffect.TakeStill), effects)
        assertFalse(state.analysing)
        assertTrue(state.still)
        send(ScreenEvent.CameraFailed(CameraFailure.DISCONNECTED))
        assertEquals(emptyList<ScreenEffect>(), effects)
        assertNull(ScreenMessage.of(state))
    }

    @Test
    fun `loads an image, segments it, and returns to the camera`() {
        stream()
        send(ScreenEvent.PictureChosen("content://a"))
        val expected =
            listOf(ScreenEffect.CloseCamera, ScreenEffect.ClearResult, ScreenEffect.ReadPicture("content://a"))
        assertEquals(expected, effects)
        send(ScreenEvent.PictureRead)
        assertEquals(listOf(ScreenEffect.AnalysePicture), effects)
        assertFalse(state.still)
        send(ScreenEvent.PictureAnalysed)
        assertTrue(state.still)
        send(ScreenEvent.BackToCamera)
        assertEquals(listOf(ScreenEffect.ClearResult, ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
        assertNull(state.picture)
    }

    @Test
    fun `each image problem has its own message`() {
        val texts = PictureProblem.entries.map { problem ->
            state = ScreenState()
            send(ScreenEvent.PictureChosen("content://a"), ScreenEvent.PictureFailed(problem))
            checkNotNull(ScreenMessage.of(state)).text
        }
        assertEquals(PictureProblem.entries.size, texts.toSet().size)
        send(ScreenEvent.RetryPicture)
        assertTrue(ScreenEffect.ReadPicture("content://a") in effects)
    }

    @Test
    fun `segments the image again with another model`() {
        send(ScreenEvent.PictureChosen("content://a"), ScreenEvent.PictureRead, ScreenEvent.PictureAnalysed)
        send(ScreenEvent.ModelChanged(ModelStatus.STARTING))
        assertEquals(listOf(ScreenEffect.AnalysePicture), effects)
        assertEquals(PictureStatus.Analysing, state.pictureStatus)
    }

    @Test
    fun `late events of a closed image are ignored`() {
        stream()
        val before = state
        send(ScreenEvent.PictureRead, ScreenEvent.PictureAnalysed, ScreenEvent.PictureFailed(PictureProblem.CORRUPT))
        assertEquals(before, state)
    }

    @Test
    fun `late events of a closed camera are ignored`() {
        stream()
        send(ScreenEvent.Stopped)
        val before = state
        send(ScreenEvent.CameraOpened(hasTorch = true), ScreenEvent.CameraFailed(CameraFailure.FAILED))
        assertEquals(before, state)
    }

    @Test
    fun `Back closes what is in front and finally leaves the app`() {
        stream()
        send(ScreenEvent.ToggleSheet(Sheet.TIMES), ScreenEvent.OpenSettings, ScreenEvent.Back)
        assertFalse(state.settingsOpen)
        send(ScreenEvent.Back)
        assertNull(state.sheet)
        send(ScreenEvent.SelectClass(3), ScreenEvent.Back)
        assertNull(state.selectedClass)
        send(ScreenEvent.ToggleFreeze)
        assertTrue(ScreenStateMachine.handlesBack(state))
        send(ScreenEvent.Back)
        assertFalse(state.frozen)
        assertFalse(ScreenStateMachine.handlesBack(state))
        send(ScreenEvent.PictureChosen("content://a"), ScreenEvent.Back)
        assertEquals(Source.CAMERA, state.source)
        send(ScreenEvent.Back)
        assertEquals(listOf(ScreenEffect.Leave), effects)
    }

    @Test
    fun `one sheet is open at a time`() {
        send(ScreenEvent.ToggleSheet(Sheet.TIMES), ScreenEvent.ToggleSheet(Sheet.CLASSES))
        assertEquals(Sheet.CLASSES, state.sheet)
        send(ScreenEvent.ToggleSheet(Sheet.CLASSES))
        assertNull(state.sheet)
    }

    @Test
    fun `two fingers magnify the live image within the limits of the camera`() {
        send(ScreenEvent.Zoom(2f))
        assertEquals(1f, state.zoom)
        stream()
        send(ScreenEvent.Zoom(2f))
        assertEquals("A camera without zoom.", emptyList<ScreenEffect>(), effects)
        send(ScreenEvent.Stopped, ScreenEvent.Started(allowed = true), ScreenEvent.CameraOpened(true, mostZoom = 4f))
        send(ScreenEvent.Zoom(3f))
        assertEquals(listOf(ScreenEffect.SetZoom(3f)), effects)
        send(ScreenEvent.Zoom(3f))
        assertEquals(4f, state.zoom)
        send(ScreenEvent.ResetZoom)
        assertEquals(listOf(ScreenEffect.SetZoom(1f)), effects)
        send(ScreenEvent.Zoom(2f), ScreenEvent.Flip)
        assertEquals(1f, state.zoom)
    }

    @Test
    fun `the camera focuses on a tapped point while it is live`() {
        stream()
        send(ScreenEvent.Focus(.2f, .7f))
        assertEquals(listOf(ScreenEffect.Focus(.2f, .7f)), effects)
        send(ScreenEvent.ToggleFreeze, ScreenEvent.Focus(.2f, .7f))
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `there is no shutter without a camera`() {
        send(ScreenEvent.CamerasFound(both), ScreenEvent.Started(allowed = false))
        assertFalse(state.hasShutter)
        send(ScreenEvent.PermissionAnswered(allowed = true, mayAskAgain = false), ScreenEvent.CameraOpened(true))
        assertTrue(state.hasShutter)
    }

    @Test
    fun `a class is selected until it is tapped again`() {
        send(ScreenEvent.SelectClass(3))
        assertEquals(3, state.selectedClass)
        send(ScreenEvent.SelectClass(4))
        assertEquals(4, state.selectedClass)
        send(ScreenEvent.SelectClass(4))
        assertNull(state.selectedClass)
    }

    @Test
    fun `each model status but running has a message`() {
        stream()
        val messages = ModelStatus.entries.associateWith { status ->
            send(ScreenEvent.ModelChanged(status))
            ScreenMessage.of(state)
        }
        assertNull(messages[ModelStatus.RUNNING])
        assertEquals(ModelStatus.entries.size, messages.values.toSet().size)
        assertTrue(messages.filterValues { it != null && !it.busy }.values.all { it!!.actions.isNotEmpty() })
        send(ScreenEvent.RestartModel)
        assertEquals(listOf(ScreenEffect.StartModel), effects)
    }

    @Test
    fun `for any events, the camera only runs in the foreground and every message has an action`() {
        val random = Random(6)
        repeat(20_000) {
            send(anyEvent(random))
            val running = state.camera == CameraStatus.Opening || state.camera is CameraStatus.Streaming
            assertTrue("$state", !running || (state.visible && state.source == Source.CAMERA))
            assertTrue("$state", !state.analysing || !state.frozen)
            assertTrue("$state", !state.torch || state.hasTorch)
            assertTrue("$state", !state.recording || state.analysing)
            val mostZoom = (state.camera as? CameraStatus.Streaming)?.mostZoom ?: 1f
            assertTrue("$state", state.zoom in 1f..mostZoom)
            val message = ScreenMessage.of(state)
            assertTrue("$state", message == null || message.busy || message.actions.isNotEmpty())
        }
    }

    private fun anyEvent(random: Random): ScreenEvent {
        val events = listOf(
            ScreenEvent.Started(random.nextBoolean()),
            ScreenEvent.CamerasFound(listOf(emptyList(), both, both.take(1)).random(random)),
            ScreenEvent.Stopped,
            ScreenEvent.AskPermission,
            ScreenEvent.PermissionAnswered(random.nextBoolean(), random.nextBoolean()),
            ScreenEvent.CameraOpened(random.nextBoolean(), 1 + random.nextInt(8).toFloat()),
            ScreenEvent.CameraFailed(CameraFailure.entries.random(random)),
            ScreenEvent.CameraAvailable,
            ScreenEvent.RetryCamera,
            ScreenEvent.Flip,
            ScreenEvent.ToggleTorch,
            ScreenEvent.ToggleFreeze,
            ScreenEvent.ToggleRecording,
            ScreenEvent.RecordingEnded,
            ScreenEvent.PictureChosen("content://a"),
            ScreenEvent.PictureRead,
            ScreenEvent.PictureAnalysed,
            ScreenEvent.PictureFailed(PictureProblem.entries.random(random)),
            ScreenEvent.RetryPicture,
            ScreenEvent.BackToCamera,
            ScreenEvent.ModelChanged(ModelStatus.entries.random(random)),
            ScreenEvent.RestartModel,
            ScreenEvent.OpenSettings,
            ScreenEvent.CloseSettings,
            ScreenEvent.ToggleSheet(Sheet.entries.random(random)),
            ScreenEvent.CloseSheet,
            ScreenEvent.Zoom(random.nextFloat() * 3),
            ScreenEvent.ResetZoom,
            ScreenEvent.Focus(random.nextFloat(), random.nextFloat()),
            ScreenEvent.SelectClass(random.nextInt(3)),
            ScreenEvent.Back,
        )
        return events.random(random)
    }
}
