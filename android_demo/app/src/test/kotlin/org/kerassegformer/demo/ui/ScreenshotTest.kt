package org.kerassegformer.demo.ui

import android.app.Activity
import android.graphics.Bitmap
import android.view.View
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Heat
import org.kerassegformer.demo.models.ModelListing
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import java.io.File

/** Draws the screens to `target/screens`, to be looked at. That something is seen is checked; the rest is for eyes. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class ScreenshotTest {
    @get:Rule
    val rig = ScreenRig()

    @Test
    fun live() {
        rig.start()
        film()
        save("live")
    }

    @Test
    fun `for the documentation`() {
        rig.start()
        film()
        freezeWithoutTimes()
        tapPlace(.4f, .5f)
        save("android_live")
        rig.tap(R.id.settings)
        save("android_settings")
    }

    @Test
    @Config(qualifiers = PHONE_LYING)
    fun `for the documentation, lying and dark`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        filmLying()
        freezeWithoutTimes()
        save("android_lying")
    }

    /** The times of these tests are made up: none may pass for those of a phone. A start of the model forgets them. */
    private fun freezeWithoutTimes() {
        rig.tap(R.id.freeze)
        rig.parts.engine.onStart = { EngineState.Running(cpuOf(it)) }
        rig.view<View>(R.id.processor_cpu).performClick()
        rig.pass(1_000)
    }

    @Test
    @Config(qualifiers = "+night")
    fun `live in the dark, with times`() {
        rig.start()
        film()
        rig.tap(R.id.times)
        save("live_night_times")
    }

    @Test
    @Config(qualifiers = "ko-$PHONE")
    fun `live in Korean, a class chosen`() {
        rig.start()
        film()
        tapPlace(.42f, .86f)
        save("live_ko")
    }

    @Test
    @Config(qualifiers = PHONE_LYING)
    fun `a picture on a phone lying on its side`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        rig.choose(Street.file)
        save("picture_land_night")
    }

    @Test
    fun `a picture`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        rig.choose(Street.file)
        tapPlace(.22f, .6f)
        save("picture")
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `a picture on a tablet, one class alone`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        rig.choose(Street.file)
        rig.view<LegendView>(R.id.legend).onClassTapped(CAMVID.names.indexOf("Car"))
        rig.settle()
        save("picture_tablet")
    }

    @Test
    fun `live in large text`() {
        RuntimeEnvironment.setFontScale(1.8f)
        rig.start()
        film()
        save("live_large_text")
    }

    @Test
    fun `the question for the camera`() {
        rig.start(allowed = false)
        save("permission")
    }

    @Test
    fun `a model that no processor runs`() {
        rig.parts.prepareEngine = { engine ->
            engine.onStart = { EngineState.Failed(it, cpuOf(it).refused) }
        }
        rig.start()
        save("model_failed")
    }

    @Test
    fun `a hot phone on the CPU, with times`() {
        rig.parts.prepareEngine = { engine -> engine.onStart = { EngineState.Running(cpuOf(it)) } }
        rig.start()
        film()
        rig.parts.engine.warm(Heat(ThermalStatus.SEVERE, 5))
        rig.tap(R.id.times)
        save("live_hot_times")
    }

    @Test
    fun settings() {
        rig.parts.models.listing =
            ModelListing(listOf(modelNamed(), modelNamed("my_garden", imported = true)), emptyMap())
        rig.start()
        film()
        rig.tap(R.id.settings)
        save("settings")
    }

    @Test
    @Config(qualifiers = PHONE_LYING)
    fun `settings on a phone lying on its side`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        filmLying()
        rig.tap(R.id.settings)
        save("settings_land_night")
    }

    @Test
    fun benchmark() {
        val activity = rig.startBenchmark()
        activity.part<View>(R.id.start).performClick()
        await { rig.settle(); activity.part<View>(R.id.share_button).isShown }
        save("benchmark", activity)
    }

    private fun film() {
        repeat(5) { rig.seeStreet() }
        rig.pass(1_000)
    }

    /** The sensor has turned with the phone: its frames are upright. */
    private fun filmLying() {
        rig.parts.camera.give(ArrayYuv(Street.planesOf(Street.picture(), 0)))
        rig.settle()
        rig.pass(1_000)
    }

    private fun tapPlace(x: Float, y: Float) {
        draw(rig.activity)
        val stage = rig.view<StageView>(R.id.stage)
        val box = checkNotNull(stage.pictureBox)
        TouchRig.tap(stage, box.left + box.width() * x, box.top + box.height() * y)
    }

    private fun draw(activity: Activity): Bitmap {
        val metrics = activity.resources.displayMetrics
        return ScreenRig.draw(activity, metrics.widthPixels, metrics.heightPixels)
    }

    private fun save(name: String, activity: Activity = rig.activity) {
        val bitmap = draw(activity)
        val file = File("target/screens/$name.png").apply { parentFile.mkdirs() }
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        val colors = HashSet<Int>()
        for (y in 0 until bitmap.height step 7) for (x in 0 until bitmap.width step 7) colors += bitmap.getPixel(x, y)
        assertTrue("$name shows ${colors.size} colours.", colors.size > 50)
    }

    private fun await(condition: () -> Boolean) {
        val end = System.nanoTime() + 20_000_000_000
        while (!condition()) check(System.nanoTime() < end) { "It did not happen." }
    }
}

internal const val PHONE = "w392dp-h816dp-port-notnight-xhdpi"
internal const val PHONE_LYING = "w816dp-h392dp-land-night-xhdpi"
internal const val TABLET = "sw780dp-w1180dp-h780dp-land-notnight-hdpi"
