package org.kerassegformer.demo.ui

import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.demo.R
import org.kerassegformer.demo.engine.BundledCheckPicture
import org.kerassegformer.demo.engine.EngineSettings
import org.kerassegformer.demo.engine.FakeHeat
import org.kerassegformer.demo.engine.HostRunners
import org.kerassegformer.demo.engine.LiveEngine
import org.kerassegformer.demo.engine.ModelLoader
import org.kerassegformer.demo.engine.ProcessorTrial
import org.kerassegformer.demo.engine.TimeLimits
import org.kerassegformer.demo.engine.tryNotes
import org.kerassegformer.demo.models.DirectoryModels
import org.kerassegformer.demo.models.FileModelStore
import org.kerassegformer.demo.models.ImportFolder
import org.kerassegformer.demo.models.ModelImporter
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File

/** The whole app but the phone: the app's own model, computed by TF Lite of this machine, on the live screen. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class RealScreenTest {
    @get:Rule
    val folder = TemporaryFolder()

    @get:Rule
    val rig = ScreenRig()

    private fun useTheRealModel() {
        val imports = ImportFolder(folder.root)
        val models = FileModelStore(DirectoryModels(), imports, ModelImporter(imports) { _, _ -> })
        rig.parts.models.listing = models.list()
        rig.parts.settings.write(Settings(engine = EngineSettings(ProcessorChoice.CPU, threads = 2)))
        rig.parts.makeEngine = { listener ->
            val notes = tryNotes(File(folder.root, "attempts.json"), "this machine")
            val picture = BundledCheckPicture(rig.context.assets)
            val trial = ProcessorTrial(ModelLoader(HostRunners(), UNHURRIED), picture, notes)
            LiveEngine(trial, DelegatePolicy(sdk = 35), notes, FakeHeat(), listener)
        }
    }

    @Test
    fun `a picture gets the labels that the Keras model gives it`() {
        useTheRealModel()
        rig.start()
        rig.choose(Street.file)
        val stage = rig.view<StageView>(R.id.stage)
        val end = System.nanoTime() + PATIENCE_NANOS
        while (stage.shown?.mask == null) {
            check(System.nanoTime() < end) { "No labels came; the screen says: ${rig.message}." }
            Thread.sleep(50)
            rig.settle()
        }
        val agreement = agreement(stage.shown!!.map!!.labels, Street.labels().labels)
        assertTrue("agreement $agreement", agreement >= .97)
        assertTrue("CPU" in rig.text(R.id.times_compact))
    }

    /** In the rows that the picture fills: 288 of 512. */
    private fun agreement(labels: IntArray, expected: IntArray): Double {
        val inside = 28 * 128 until 100 * 128
        return inside.count { labels[it] == expected[it] } / inside.count().toDouble()
    }

    private companion object {
        const val PATIENCE_NANOS = 400_000_000_000L

        /** TF Lite of this machine has no fast kernels. */
        val UNHURRIED = TimeLimits(loadMillis = 300_000, runMillis = 300_000)
    }
}
