package org.kerassegformer.demo.ui

import android.os.Looper
import kotlinx.coroutines.launch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ThermalState
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowLooper
import java.time.Duration

/** What the coroutines of a session do, and that they end with it. */
@RunWith(RobolectricTestRunner::class)
internal class LiveSessionTest {
    private val container = FakeAppContainer(RuntimeEnvironment.getApplication())
    private val session by lazy { LiveSession(container) }
    private val camera get() = container.camera
    private val engine get() = container.engine

    @Before
    fun start() {
        session.start(allowed = true)
    }

    private val mainLooper get() = shadowOf(Looper.getMainLooper())

    private fun advance(millis: Long) = mainLooper.idleFor(Duration.ofMillis(millis))

    @Test
    fun `every state is emitted, in order`() {
        val seen = ArrayList<UiState>()
        val collecting = container.scope.launch { session.state.collect(seen::add) }
        engine.enter(EngineState.Starting(modelNamed(), Processor.CPU, emptyList()))
        engine.enter(EngineState.Running(cpuOf(modelNamed())))
        camera.give(StreetScene.frame())
        session.dispatch(ScreenEvent.ToggleFreeze)
        collecting.cancel()
        assertEquals(
            listOf(ModelStatus.RUNNING, ModelStatus.STARTING, ModelStatus.RUNNING),
            seen.map { it.screen.model }.dedup(),
        )
        assertEquals(listOf(false, true), seen.map { it.shown?.mask != null }.dedup())
        assertEquals(listOf(false, true), seen.map { it.screen.frozen }.dedup())
        assertTrue("frozen with its image", seen.filter { it.screen.frozen }.all { it.shown?.mask != null })
        assertSame(session.state.value, seen.last())
    }

    private fun <T> List<T>.dedup(): List<T> = filterIndexed { i, it -> i == 0 || this[i - 1] != it }

    @Test
    fun `states are values, which later ones do not change`() {
        val before = session.state.value
        val copy = before.copy()
        session.dispatch(ScreenEvent.OpenSettings)
        engine.reportThermalState(ThermalState(ThermalStatus.SEVERE, 5))
        assertEquals(copy, before)
        assertTrue(session.state.value.screen.settingsOpen && session.state.value.thermal.isThrottled)
    }

    @Test
    fun `nothing happens after the end`() {
        val files = ArrayList<Runnable>()
        val paintings = ArrayList<Runnable>()
        container.runFileTask = { files += it }
        container.runPainting = { paintings += it }
        val listener = checkNotNull(camera.listener)
        session.reloadModels()
        session.dispatch(ScreenEvent.PictureChosen("content://nobody/1"))
        session.dispatch(ScreenEvent.BackToCamera)
        checkNotNull(camera.listener).onFrame(StreetScene.frame(), camera.cameraOf(camera.opened.last()))
        assertTrue("${files.size} ${paintings.size}", files.isNotEmpty() && paintings.isNotEmpty())

        session.close()

        val last = session.state.value
        assertTrue(engine.closed && camera.released)
        files.toList().forEach(Runnable::run)
        paintings.toList().forEach(Runnable::run)
        val frame = StreetScene.frame()
        listener.onFrame(frame, camera.cameraOf(camera.opened.last()))
        listener.onAvailable()
        engine.enter(EngineState.Closed)
        engine.failFrame(0)
        session.dispatch(ScreenEvent.OpenSettings)
        session.reloadModels()
        session.choose(modelNamed("other"))
        advance(60_000)
        assertTrue("a frame of a closed session is closed", frame.closed)
        assertSame(last, session.state.value)
        assertEquals(1, engine.started.size)
        assertEquals("nothing is scheduled", Duration.ZERO, mainLooper.nextScheduledTaskTime)
    }

    @Test
    fun `the clock only runs while the activity is started`() {
        session.stop()
        ShadowLooper.idleMainLooper()
        assertEquals(Duration.ZERO, mainLooper.nextScheduledTaskTime)
        session.start(allowed = true)
        session.start(allowed = true)
        camera.give(StreetScene.frame())
        assertNotNull(session.state.value.shown)
        engine.answer = { null }
        advance(5_000)
        assertNull("an outdated image is removed", session.state.value.shown)
    }

    @Test
    fun `an image that is opened replaces one that is still being read`() {
        engine.answer = { StreetScene.labels() }
        val files = ArrayList<Runnable>()
        container.runFileTask = { files += it }
        session.dispatch(ScreenEvent.PictureChosen("content://nobody/1"))
        session.dispatch(ScreenEvent.PictureChosen(FakeDocuments.of(StreetScene.file).toString()))
        files.toList().reversed().forEach(Runnable::run)
        ShadowLooper.idleMainLooper()
        assertEquals(960, session.state.value.shown?.picture?.width)
        assertEquals(PictureStatus.Done, session.state.value.screen.pictureStatus)
    }

    @Test
    fun `labels of an earlier source are not shown, though they are painted late`() {
        val paintings = ArrayList<Runnable>()
        container.runPainting = { paintings += it }
        camera.give(StreetScene.frame())
        session.dispatch(ScreenEvent.Flip)
        while (paintings.isNotEmpty()) paintings.removeAt(0).run()
        assertNull(session.state.value.shown)
    }
}
