package org.kerassegformer.demo.ui

import android.app.Activity
import android.graphics.Bitmap
import android.view.View
import android.view.ViewGroup
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.PATIENCE_SECONDS
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.ModelListing
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import java.io.File

/** Renders the screens to `target/screens` for visual inspection. Only checks that they are not blank. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class ScreenshotTest {
    @get:Rule
    val screen = ScreenRobot()

    @Test
    fun `for the documentation`() {
        screen.start()
        feedFrames()
        freezeWithoutLatency()
        tapPlace(.4f, .5f)
        save("android_live")
        screen.tap(R.id.settings)
        save("android_settings")
    }

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `for the documentation, landscape and dark`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        feedLandscapeFrame()
        freezeWithoutLatency()
        save("android_landscape")
    }

    /** Hides the made-up latencies of the tests from the documentation: restarting the model clears them. */
    private fun freezeWithoutLatency() {
        screen.tap(R.id.freeze)
        screen.container.engine.onStart = { EngineState.Running(cpuOf(it)) }
        screen.view<View>(R.id.processor_cpu).performClick()
        screen.advance(1_000)
    }

    @Test
    fun `each state`() = saveEachState("port")

    @Test
    @Config(qualifiers = "+night")
    fun `each state in the dark theme`() = saveEachState("night")

    @Test
    @Config(qualifiers = "ko-$PHONE")
    fun `each state in Korean`() = saveEachState("ko")

    @Test
    fun `each state with large text`() {
        RuntimeEnvironment.setFontScale(1.8f)
        saveEachState("large_text")
    }

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `each state in landscape`() = saveEachState("land")

    @Test
    @Config(qualifiers = TABLET)
    fun `each state on a tablet`() = saveEachState("tablet")

    private fun saveEachState(name: String) {
        val isUpright = "port" in RuntimeEnvironment.getQualifiers().split('-')
        if (!isUpright) screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.container.models.listing =
            ModelListing(listOf(modelNamed(), modelNamed("my_garden", imported = true)), emptyMap())
        screen.start(allowed = false)
        save("${name}_permission")
        screen.controller.pause().stop()
        screen.allowCamera()
        screen.controller.start().resume()
        screen.waitForIdle()
        if (isUpright) feedFrames() else feedLandscapeFrame()
        tapPlace(.42f, .86f)
        save("${name}_live")
        screen.tap(R.id.latency)
        save("${name}_times")
        screen.tap(R.id.sheet_close)
        screen.tap(R.id.legend_expand)
        save("${name}_classes")
        screen.tap(R.id.sheet_close)
        screen.view<View>(R.id.freeze).performLongClick()
        screen.advance(12_000)
        if (isUpright) feedFrames() else feedLandscapeFrame()
        save("${name}_recording")
        screen.tap(R.id.freeze)
        screen.tap(R.id.freeze)
        save("${name}_still")
        screen.tap(R.id.settings)
        save("${name}_settings")
    }

    @Test
    @Config(qualifiers = PHONE_LANDSCAPE)
    fun `an image in landscape`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        screen.choose(StreetScene.file)
        save("picture_land_night")
    }

    @Test
    fun `an image`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        screen.choose(StreetScene.file)
        tapPlace(.22f, .6f)
        save("picture")
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `an image on a tablet, one class selected`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        screen.choose(StreetScene.file)
        val chips = screen.view<ViewGroup>(R.id.chips)
        val car = (0 until chips.childCount).map(chips::getChildAt).first { it.contentDescription.startsWith("Car") }
        car.performClick()
        screen.waitForIdle()
        save("picture_tablet")
    }

    @Test
    fun `a model that no processor can run`() {
        screen.container.prepareEngine = { engine ->
            engine.onStart = { EngineState.Failed(it, cpuOf(it).rejected) }
        }
        screen.start()
        save("model_failed")
    }

    @Test
    fun `a hot phone on the CPU, with latencies`() {
        screen.container.prepareEngine = { engine -> engine.onStart = { EngineState.Running(cpuOf(it)) } }
        screen.start()
        feedFrames()
        screen.container.engine.reportThermalState(ThermalState(ThermalStatus.SEVERE, 5))
        screen.tap(R.id.latency)
        save("live_hot_times")
    }

    @Test
    fun benchmark() {
        val activity = screen.startBenchmark()
        activity.requireView<View>(R.id.start).performClick()
        await { screen.waitForIdle(); activity.requireView<View>(R.id.share_button).isShown }
        save("benchmark", activity)
    }

    @Test
    fun licences() = save("licences", screen.startLicences())

    private fun feedFrames() {
        repeat(5) { screen.showStreet() }
        screen.advance(1_000)
    }

    /** In landscape the frames of the sensor are upright. */
    private fun feedLandscapeFrame() {
        screen.container.camera.give(FakeYuvImage(StreetScene.planesOf(StreetScene.picture(), 0)))
        screen.waitForIdle()
        screen.advance(1_000)
    }

    private fun tapPlace(x: Float, y: Float) {
        draw(screen.activity)
        val segmentation = screen.view<SegmentationView>(R.id.segmentation)
        val box = checkNotNull(segmentation.pictureBox)
        Touch.tap(segmentation, box.left + box.width() * x, box.top + box.height() * y)
    }

    private fun draw(activity: Activity): Bitmap {
        val metrics = activity.resources.displayMetrics
        return ScreenRobot.draw(activity, metrics.widthPixels, metrics.heightPixels)
    }

    private fun save(name: String, activity: Activity = screen.activity) {
        val bitmap = draw(activity)
        val file = File("target/screens/$name.png").apply { parentFile.mkdirs() }
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        val colors = HashSet<Int>()
        for (y in 0 until bitmap.height step 7) for (x in 0 until bitmap.width step 7) colors += bitmap.getPixel(x, y)
        assertTrue("$name shows ${colors.size} colours.", colors.size > 50)
    }

    private fun await(condition: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000
        while (!condition()) check(System.nanoTime() < end) { "The condition was not met." }
    }
}

internal const val PHONE = "w392dp-h816dp-port-notnight-xhdpi"
internal const val PHONE_LANDSCAPE = "w816dp-h392dp-land-night-xhdpi"
internal const val TABLET = "sw780dp-w1180dp-h780dp-land-notnight-hdpi"
