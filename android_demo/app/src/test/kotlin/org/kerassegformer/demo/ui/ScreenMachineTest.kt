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

internal class ScreenMachineTest {
    private val both = listOf(CameraFacing.BACK, CameraFacing.FRONT)
    private var state = ScreenState()
    private var effects = emptyList<ScreenEffect>()

    private fun send(vararg events: ScreenEvent) {
        for (event in events) {
            val transition = ScreenMachine.next(state, event)
            state = transition.state
            effects = transition.effects
        }
    }

    private fun stream(facings: List<CameraFacing> = both) = send(
        ScreenEvent.Started(allowed = true, facings = facings),
        ScreenEvent.CameraOpened(hasTorch = true),
        ScreenEvent.ModelChanged(ModelStatus.RUNNING),
    )

    @Test
    fun `opens the camera when it is allowed`() {
        send(ScreenEvent.Started(allowed = true, facings = both))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
        assertEquals(CameraStatus.Opening, state.camera)
        assertFalse(state.analysing)
        send(ScreenEvent.CameraOpened(hasTorch = false))
        assertTrue(state.analysing)
    }

    @Test
    fun `explains before it asks, and asks when told to`() {
        send(ScreenEvent.Started(allowed = false, facings = both))
        assertEquals(emptyList<ScreenEffect>(), effects)
        assertEquals(ScreenMessage.PERMISSION, ScreenMessage.of(state))
        send(ScreenEvent.AskPermission)
        assertEquals(listOf(ScreenEffect.AskPermission), effects)
    }

    @Test
    fun `opens the camera once the question is answered`() {
        send(ScreenEvent.Started(allowed = false, facings = both), ScreenEvent.AskPermission)
        send(ScreenEvent.PermissionAnswered(allowed = true, mayAskAgain = false))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `tells a refusal from one for good`() {
        send(ScreenEvent.Started(allowed = false, facings = both), ScreenEvent.AskPermission)
        send(ScreenEvent.PermissionAnswered(allowed = false, mayAskAgain = true))
        assertEquals(Permission.REFUSED, state.permission)
        assertEquals(ScreenMessage.PERMISSION, ScreenMessage.of(state))
        send(ScreenEvent.PermissionAnswered(allowed = false, mayAskAgain = false))
        assertEquals(ScreenMessage.PERMISSION_REFUSED_FOR_GOOD, ScreenMessage.of(state))
        send(ScreenEvent.OpenAppSettings)
        assertEquals(listOf(ScreenEffect.OpenAppSettings), effects)
        send(ScreenEvent.Stopped, ScreenEvent.Started(allowed = true, facings = both))
        assertEquals(CameraStatus.Opening, state.camera)
    }

    @Test
    fun `asks again for a permission that was taken back`() {
        stream()
        send(ScreenEvent.Stopped, ScreenEvent.Started(allowed = false, facings = both))
        assertEquals(Permission.UNASKED, state.permission)
        assertEquals(CameraStatus.Closed, state.camera)
    }

    @Test
    fun `a device without a camera is offered pictures, and not asked for anything`() {
        send(ScreenEvent.Started(allowed = false, facings = emptyList()))
        assertEquals(ScreenMessage.CAMERA_ABSENT, ScreenMessage.of(state))
        send(ScreenEvent.Started(allowed = true, facings = emptyList()))
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `takes the front camera where it is the only one`() {
        send(ScreenEvent.Started(allowed = true, facings = listOf(CameraFacing.FRONT)))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.FRONT)), effects)
        assertFalse(state.canFlip)
    }

    @Test
    fun `closes the camera out of sight, and opens it again`() {
        stream()
        send(ScreenEvent.Stopped)
        assertEquals(listOf(ScreenEffect.CloseCamera), effects)
        assertFalse(state.analysing)
        send(ScreenEvent.Started(allowed = true, facings = both))
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `changes the camera, and takes the picture of the other off`() {
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
    fun `switches the light only where there is one`() {
        stream()
        send(ScreenEvent.ToggleTorch)
        assertEquals(listOf(ScreenEffect.SetTorch(true)), effects)
        send(ScreenEvent.ToggleTorch)
        assertEquals(listOf(ScreenEffect.SetTorch(false)), effects)
        send(ScreenEvent.Flip, ScreenEvent.CameraOpened(hasTorch = false), ScreenEvent.ToggleTorch)
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `each failure of the camera has its own message, and all but none a retry`() {
        val messages = CameraFailure.entries.map { failure ->
            state = ScreenState()
            stream()
            send(ScreenEvent.CameraFailed(failure))
            assertEquals(listOf(ScreenEffect.ClearResult), effects)
            checkNotNull(ScreenMessage.of(state))
        }
        assertEquals(CameraFailure.entries.size, messages.toSet().size)
        for (message in messages - ScreenMessage.PERMISSION) {
            assertEquals(ScreenEvent.RetryCamera, message.remedies.first().event)
        }
        send(ScreenEvent.RetryCamera)
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `opens by itself when another app has let the camera go`() {
        stream()
        send(ScreenEvent.CameraFailed(CameraFailure.TAKEN_AWAY), ScreenEvent.CameraAvailable)
        assertEquals(listOf(ScreenEffect.OpenCamera(CameraFacing.BACK)), effects)
    }

    @Test
    fun `does not try a broken camera again by itself`() {
        stream()
        send(ScreenEvent.CameraFailed(CameraFailure.BROKEN), ScreenEvent.CameraAvailable)
        assertEquals(emptyList<ScreenEffect>(), effects)
    }

    @Test
    fun `a frozen picture stays when the camera goes`() {
        stream()
        send(ScreenEvent.ToggleFreeze)
        assertFalse(state.analysing)
        assertTrue(state.still)
        send(ScreenEvent.CameraFailed(CameraFailure.TAKEN_AWAY))
        assertEquals(emptyList<ScreenEffect>(), effects)
        assertNull(ScreenMessage.of(state))
    }

    @Test
    fun `reads a picture, analyses it, and goes back to the camera`() {
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
    fun `each problem of a picture has its own words`() {
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
    fun `analyses the picture again with another model`() {
        send(ScreenEvent.PictureChosen("content://a"), ScreenEvent.PictureRead, ScreenEvent.PictureAnalysed)
        send(ScreenEvent.ModelChanged(ModelStatus.STARTING))
        assertEquals(listOf(ScreenEffect.AnalysePicture), effects)
        assertEquals(PictureStatus.Working, state.pictureStatus)
    }

    @Test
    fun `late news of a picture that was left mean nothing`() {
        stream()
        val before = state
        send(ScreenEvent.PictureRead, ScreenEvent.PictureAnalysed, ScreenEvent.PictureFailed(PictureProblem.BROKEN))
        assertEquals(before, state)
    }

    @Test
    fun `late news of a camera that was closed mean nothing`() {
        stream()
        send(ScreenEvent.Stopped)
        val before = state
        send(ScreenEvent.CameraOpened(hasTorch = true), ScreenEvent.CameraFailed(CameraFailure.BROKEN))
        assertEquals(before, state)
    }

    @Test
    fun `the way back closes what is in front, and leaves at last`() {
        stream()
        send(ScreenEvent.ToggleTimes, ScreenEvent.OpenSettings, ScreenEvent.Back)
        assertFalse(state.settingsOpen)
        send(ScreenEvent.Back)
        assertFalse(state.timesOpen)
        send(ScreenEvent.SelectClass(3), ScreenEvent.Back)
        assertNull(state.selectedClass)
        send(ScreenEvent.ToggleFreeze, ScreenEvent.Back)
        assertFalse(state.frozen)
        send(ScreenEvent.PictureChosen("content://a"), ScreenEvent.Back)
        assertEquals(Source.CAMERA, state.source)
        send(ScreenEvent.Back)
        assertEquals(listOf(ScreenEffect.Leave), effects)
    }

    @Test
    fun `a class is shown alone until it is tapped again`() {
        send(ScreenEvent.SelectClass(3))
        assertEquals(3, state.selectedClass)
        send(ScreenEvent.SelectClass(4))
        assertEquals(4, state.selectedClass)
        send(ScreenEvent.SelectClass(4))
        assertNull(state.selectedClass)
    }

    @Test
    fun `each state of the model has a message, and running none`() {
        stream()
        val messages = ModelStatus.entries.associateWith { status ->
            send(ScreenEvent.ModelChanged(status))
            ScreenMessage.of(state)
        }
        assertNull(messages[ModelStatus.RUNNING])
        assertEquals(ModelStatus.entries.size, messages.values.toSet().size)
        assertTrue(messages.filterValues { it != null && !it.busy }.values.all { it!!.remedies.isNotEmpty() })
        send(ScreenEvent.RestartModel)
        assertEquals(listOf(ScreenEffect.StartModel), effects)
    }

    @Test
    fun `whatever happens, the camera runs only in sight, and the screen is never without a way out`() {
        val random = Random(6)
        repeat(20_000) {
            send(anyEvent(random))
            val running = state.camera == CameraStatus.Opening || state.camera is CameraStatus.Streaming
            assertTrue("$state", !running || (state.visible && state.source == Source.CAMERA))
            assertTrue("$state", !state.analysing || !state.frozen)
            assertTrue("$state", !state.torch || state.hasTorch)
            val message = ScreenMessage.of(state)
            assertTrue("$state", message == null || message.busy || message.remedies.isNotEmpty())
        }
    }

    private fun anyEvent(random: Random): ScreenEvent {
        val events = listOf(
            ScreenEvent.Started(random.nextBoolean(), listOf(emptyList(), both, both.take(1)).random(random)),
            ScreenEvent.Stopped,
            ScreenEvent.AskPermission,
            ScreenEvent.PermissionAnswered(random.nextBoolean(), random.nextBoolean()),
            ScreenEvent.CameraOpened(random.nextBoolean()),
            ScreenEvent.CameraFailed(CameraFailure.entries.random(random)),
            ScreenEvent.CameraAvailable,
            ScreenEvent.RetryCamera,
            ScreenEvent.Flip,
            ScreenEvent.ToggleTorch,
            ScreenEvent.ToggleFreeze,
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
            ScreenEvent.ToggleTimes,
            ScreenEvent.SelectClass(random.nextInt(3)),
            ScreenEvent.Back,
        )
        return events.random(random)
    }
}
