package org.kerassegformer.demo.ui

import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.BundledSelfCheckImage
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.FakeThermalMonitor
import org.kerassegformer.demo.engine.HostRunners
import org.kerassegformer.demo.engine.LiveEngine
import org.kerassegformer.demo.engine.ModelLoader
import org.kerassegformer.demo.engine.crashLog
import org.kerassegformer.demo.engine.newTrial
import org.kerassegformer.demo.models.ImportFolder
import org.kerassegformer.demo.models.hostModels
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File

/** End-to-end test without a phone: the bundled model, with TF Lite of the host, on the live screen. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class RealScreenTest {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val screen = ScreenRobot()

    private fun useTheRealModel() {
        val imports = ImportFolder(folder.root)
        val models = hostModels(imports)
        screen.container.models.listing = models.list()
        screen.container.settings.write(Settings(engine = EngineSettings(ProcessorChoice.CPU, threads = 2)))
        screen.container.makeEngine = { listener ->
            val crashLog = crashLog(File(folder.root, "crash_log.json"), "this machine")
            val picture = BundledSelfCheckImage(screen.context.assets)
            val trial = newTrial(ModelLoader(HostRunners()), picture, crashLog, File(folder.root, "crash_log.json"))
            LiveEngine(trial, DelegatePolicy(sdk = 35), crashLog, FakeThermalMonitor(), listener)
        }
    }

    @Test
    fun `an image gets the labels of the Keras model`() {
        useTheRealModel()
        screen.start()
        screen.choose(StreetScene.file)
        val segmentation = screen.view<SegmentationView>(R.id.segmentation)
        val end = System.nanoTime() + PATIENCE_NANOS
        while (segmentation.shown?.mask == null) {
            check(System.nanoTime() < end) { "No labels came; the screen says: ${screen.message}." }
            Thread.sleep(50)
            screen.waitForIdle()
        }
        val agreement = agreement(segmentation.shown!!.map!!.labels, StreetScene.labels().labels)
        assertTrue("agreement $agreement", agreement >= .97)
        assertTrue("CPU" in screen.text(R.id.latency_compact))
    }

    /** Compares the rows that the image fills: 288 of 512. */
    private fun agreement(labels: IntArray, expected: IntArray): Double {
        val inside = 28 * 128 until 100 * 128
        return inside.count { labels[it] == expected[it] } / inside.count().toDouble()
    }

    private companion object {
        const val PATIENCE_NANOS = 400_000_000_000L
    }
}
