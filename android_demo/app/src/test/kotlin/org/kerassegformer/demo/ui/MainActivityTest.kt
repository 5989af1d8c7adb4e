package org.kerassegformer.demo.ui

import android.Manifest
import android.app.AlertDialog
import android.content.ComponentCallbacks2
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS
import android.view.View
import android.widget.Button
import android.widget.ImageButton
import android.widget.RadioButton
import android.widget.SeekBar
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.Heat
import org.kerassegformer.demo.models.ImportProblem
import org.kerassegformer.demo.models.ModelImportException
import org.kerassegformer.demo.models.ModelListing
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog
import org.robolectric.shadows.ShadowToast
import org.robolectric.util.ReflectionHelpers
import java.io.File

/** The live screen with a camera, an engine and models that do what a test says. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class MainActivityTest {
    @get:Rule
    val rig = ScreenRig()

    @get:Rule
    val folder = TemporaryFolder()

    private val stage: StageView get() = rig.view(R.id.stage)
    private val camera get() = rig.parts.camera
    private val engine get() = rig.parts.engine

    // The camera

    @Test
    fun `explains, asks and opens the camera`() {
        val activity = rig.start(allowed = false)
        assertEquals(rig.string(R.string.permission_title), rig.message)
        assertEquals(emptyList<CameraFacing>(), camera.opened)
        rig.tap(R.id.message_first)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), asked.requestedPermissions.toList())
        answerPermission(PackageManager.PERMISSION_GRANTED)
        assertEquals(listOf(CameraFacing.BACK), camera.opened)
        assertNull(rig.message)
    }

    @Test
    fun `a refusal may be thought over`() {
        val activity = rig.start(allowed = false)
        rig.tap(R.id.message_first)
        shadowOf(activity.packageManager)
            .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, true)
        answerPermission(PackageManager.PERMISSION_DENIED)
        assertEquals(rig.string(R.string.permission_title), rig.message)
    }

    @Test
    fun `a refusal for good leads to the settings of the system`() {
        val activity = rig.start(allowed = false)
        rig.tap(R.id.message_first)
        answerPermission(PackageManager.PERMISSION_DENIED)
        assertEquals(rig.string(R.string.permission_forever_title), rig.message)
        rig.tap(R.id.message_first)
        assertEquals(ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(activity).nextStartedActivity.action)
        rig.controller.pause().stop()
        rig.allowCamera()
        rig.controller.start().resume()
        rig.settle()
        assertEquals(listOf(CameraFacing.BACK), camera.opened)
    }

    private fun answerPermission(result: Int) {
        rig.activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(result))
        rig.settle()
    }

    @Test
    fun `a device without a camera shows pictures`() {
        camera.sides = emptyList()
        rig.start()
        assertEquals(rig.string(R.string.camera_absent_title), rig.message)
        rig.tap(R.id.message_first)
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, shadowOf(rig.activity).nextStartedActivity.action)
    }

    @Test
    fun `each failure of the camera takes the picture off and offers to try again`() {
        rig.start()
        for (failure in CameraFailure.entries - CameraFailure.NOT_ALLOWED) {
            rig.seeStreet()
            assertNotNull(stage.shown)
            camera.fail(failure)
            rig.settle()
            assertNull(stage.shown)
            assertNotNull(rig.message)
            rig.tap(R.id.message_first)
            assertNull(rig.message)
        }
        assertEquals(CameraFailure.entries.size, camera.opened.size)
    }

    @Test
    fun `comes back when another app lets the camera go`() {
        rig.start()
        camera.fail(CameraFailure.IN_USE)
        checkNotNull(camera.listener).onAvailable()
        rig.settle()
        assertNull(rig.message)
        assertEquals(2, camera.opened.size)
    }

    @Test
    fun `changes between front and back, and has a light where there is one`() {
        rig.start()
        rig.seeStreet()
        rig.tap(R.id.torch)
        assertEquals(listOf(true), camera.torches)
        assertEquals(rig.string(R.string.flash_off), rig.view<ImageButton>(R.id.torch).contentDescription)
        rig.tap(R.id.flip)
        assertEquals(listOf(CameraFacing.BACK, CameraFacing.FRONT), camera.opened)
        assertNull("The picture of the other camera is gone.", stage.shown)
        assertFalse(rig.isShown(R.id.torch))
    }

    @Test
    fun `a device with one camera has no button to change it`() {
        camera.sides = listOf(CameraFacing.BACK)
        rig.start()
        assertFalse(rig.isShown(R.id.flip))
    }

    // What is drawn is true

    @Test
    fun `shows the very frame that the model saw, with its mask`() {
        rig.start()
        val frame = rig.seeStreet()
        assertTrue(frame.closed)
        val shown = checkNotNull(stage.shown)
        assertEquals(480, shown.picture.width)
        assertEquals(640, shown.picture.height)
        assertTrue(shown.map!!.labels.contentEquals(Street.uprightLabels().labels))
        assertNotNull(shown.mask)
        assertTrue(rig.isShown(R.id.legend))
    }

    @Test
    fun `late labels are drawn over their own frame, and those of a closed camera over nothing`() {
        rig.parts.prepareEngine = { it.answer = { null } }
        rig.start()
        val inUse = gpuOf(modelNamed())
        rig.seeStreet()
        rig.seeStreet()
        assertNull(stage.shown)
        engine.give(0, 1, Street.uprightLabels(), inUse)
        rig.settle()
        assertEquals(0L, stage.shown?.frameId)
        rig.tap(R.id.flip)
        engine.give(1, 1, Street.uprightLabels(), inUse)
        rig.settle()
        assertNull("The labels of the other camera are passed over.", stage.shown)
    }

    @Test
    fun `a picture from before is taken off when nothing newer comes`() {
        rig.start()
        rig.seeStreet()
        engine.answer = { null }
        rig.pass(2_500)
        assertNotNull(stage.shown)
        rig.pass(2_000)
        assertNull(stage.shown)
    }

    @Test
    fun `frames without end leave no picture behind`() {
        rig.start()
        val bitmaps = HashSet<Any>()
        repeat(30) {
            rig.seeStreet()
            bitmaps += checkNotNull(stage.shown).picture
        }
        assertTrue("${bitmaps.size} bitmaps", bitmaps.size <= 5)
    }

    @Test
    fun `a frame that the engine cannot use is passed over`() {
        rig.start()
        rig.seeStreet()
        engine.answer = { engine.stumble(it.id); null }
        repeat(20) { rig.seeStreet() }
        engine.answer = { Street.uprightLabels() }
        rig.seeStreet()
        assertEquals(21L, stage.shown?.frameId)
    }

    @Test
    fun `a frozen picture stays, and is saved as it is seen`() {
        rig.start()
        assertFalse("There is nothing to freeze.", rig.view<View>(R.id.freeze).isEnabled)
        rig.seeStreet()
        val shown = stage.shown
        assertFalse(rig.isShown(R.id.save))
        rig.tap(R.id.freeze)
        val frame = rig.seeStreet()
        assertTrue("A frame that is not wanted is closed.", frame.closed)
        assertSame(shown, stage.shown)
        assertTrue(rig.isShown(R.id.save))
        assertTrue(rig.isShown(R.id.share_button))
        rig.pass(10_000)
        assertSame(shown, stage.shown)
        rig.tap(R.id.freeze)
        rig.seeStreet()
        assertFalse(shown === stage.shown)
    }

    @Test
    fun `labels that come after the freeze change nothing`() {
        rig.start()
        rig.seeStreet()
        engine.answer = { null }
        rig.seeStreet()
        val shown = stage.shown
        rig.tap(R.id.freeze)
        engine.give(1, 1, Street.uprightLabels(), gpuOf(modelNamed()))
        rig.settle()
        assertSame(shown, stage.shown)
    }

    // What is touched

    @Test
    fun `a tap names the class of the place`() {
        rig.start()
        rig.seeStreet()
        ScreenRig.draw(rig.activity, 784, 1632)
        val named = ArrayList<String?>()
        stage.onPlaceNamed = { named += it }
        val box = checkNotNull(stage.pictureBox)
        TouchRig.tap(stage, box.centerX(), box.bottom - 20)
        TouchRig.tap(stage, box.left + box.width() * .41f, box.top + box.height() * .52f)
        TouchRig.tap(stage, box.centerX(), box.bottom + 30)
        assertEquals(listOf("Road", "Car", null), named)
    }

    @Test
    fun `a screen reader hears the classes, and the double tap names the middle`() {
        rig.start()
        rig.seeStreet()
        rig.pass(1_000)
        assertTrue(stage.contentDescription.toString(), "Road" in stage.contentDescription)
        ScreenRig.draw(rig.activity, 784, 1632)
        var named: String? = null
        stage.onPlaceNamed = { named = it }
        stage.performClick()
        assertNotNull(named)
    }

    @Test
    fun `a row of the legend shows its class alone, and all again`() {
        rig.start()
        rig.seeStreet()
        val legend = rig.view<LegendView>(R.id.legend)
        val names = stage.shown!!.shares.map { it.name }
        assertEquals(names.size, legend.childCount)
        legend.getChildAt(1).performClick()
        rig.seeStreet()
        assertTrue(legend.getChildAt(1).isSelected)
        assertTrue(legend.getChildAt(1).contentDescription.startsWith(names[1]))
        assertEquals(setOf(names[1]), stage.shown!!.anchors.map { CAMVID.names[it.index] }.toSet())
        legend.getChildAt(1).performClick()
        rig.seeStreet()
        assertFalse(legend.getChildAt(1).isSelected)
    }

    @Test
    fun `a class can be shown alone in a frozen picture, and the film goes on unharmed`() {
        rig.start()
        rig.seeStreet()
        rig.tap(R.id.freeze)
        val before = checkNotNull(stage.shown)
        rig.view<LegendView>(R.id.legend).getChildAt(0).performClick()
        rig.settle()
        val after = checkNotNull(stage.shown)
        assertSame(before.picture, after.picture)
        assertFalse(before === after)
        rig.tap(R.id.freeze)
        val pictures = (0 until 12).map { rig.seeStreet(); checkNotNull(stage.shown).picture }
        assertTrue(pictures.zipWithNext().all { (one, next) -> one !== next })
    }

    @Test
    fun `the opacity is kept`() {
        rig.start()
        val bar = rig.view<SeekBar>(R.id.opacity)
        val listener = shadowOf(bar).onSeekBarChangeListener
        bar.progress = 20
        listener.onStopTrackingTouch(bar)
        assertEquals(.2f, stage.opacity, 1e-6f)
        rig.recreate()
        assertEquals(20, rig.view<SeekBar>(R.id.opacity).progress)
        assertEquals(20, rig.parts.settings.read().opacity)
    }

    // The model

    @Test
    fun `says what is tried while the model starts`() {
        rig.parts.prepareEngine = { it.onStart = { null } }
        rig.start()
        assertEquals(rig.string(R.string.model_loading_title), rig.message)
        assertEquals(rig.string(R.string.hud_starting, "GPU"), rig.text(R.id.times_compact))
    }

    @Test
    fun `names the processor in use, its times, and why it is used`() {
        rig.start()
        repeat(3) { rig.seeStreet() }
        rig.tap(R.id.times)
        assertTrue(rig.text(R.id.times_compact), rig.text(R.id.times_compact).startsWith("GPU · 24 ms · "))
        assertTrue("99.6%" in rig.text(R.id.times_why))
        assertEquals(8, rig.view<android.widget.TableLayout>(R.id.times_table).childCount)
        rig.tap(R.id.times)
        assertFalse(rig.isShown(R.id.times_why))
    }

    @Test
    fun `names a processor that died, and one that lied`() {
        rig.parts.prepareEngine = { engine -> engine.onStart = { EngineState.Running(cpuOf(it)) } }
        rig.start()
        rig.tap(R.id.times)
        val why = rig.text(R.id.times_why)
        assertTrue(why, rig.string(R.string.refused_ended_app) in why)
        assertTrue(why, "61.2%" in why && "98%" in why)
        rig.tap(R.id.settings)
        rig.view<View>(R.id.forget_failures).performClick()
        rig.settle()
        assertEquals(1, engine.forgotten)
        assertEquals(2, engine.started.size)
    }

    @Test
    fun `a model that no processor runs says why, and leads to the others`() {
        rig.parts.prepareEngine = { engine -> engine.onStart = { EngineState.Failed(it, cpuOf(it).refused) } }
        rig.start()
        assertEquals(rig.string(R.string.model_failed_title), rig.message)
        assertTrue("61.2%" in rig.text(R.id.message_text))
        rig.tap(R.id.message_second)
        assertEquals(2, engine.started.size)
        rig.tap(R.id.message_first)
        assertTrue(rig.isShown(R.id.settings_panel))
    }

    @Test
    fun `a model that hangs is told, and started again`() {
        rig.start()
        rig.seeStreet()
        engine.answer = { null }
        rig.seeStreet()
        rig.pass(StallWatch.LIMIT_MILLIS + 2_000)
        assertEquals(rig.string(R.string.model_stalled_title), rig.message)
        assertNull(stage.shown)
        engine.answer = { Street.uprightLabels() }
        rig.tap(R.id.message_first)
        rig.seeStreet()
        assertNull(rig.message)
        assertNotNull(stage.shown)
    }

    @Test
    fun `a build without models asks for one`() {
        rig.parts.models.listing = ModelListing(emptyList(), emptyMap())
        rig.start()
        assertEquals(rig.string(R.string.model_none_title), rig.message)
        assertEquals(rig.string(R.string.hud_none), rig.text(R.id.times_compact))
    }

    @Test
    fun `heat is told, and how it slows the app down`() {
        rig.start()
        engine.warm(Heat(ThermalStatus.SEVERE, 5))
        rig.settle()
        assertEquals(rig.string(R.string.heat_slowed), rig.text(R.id.notice))
        engine.warm(Heat(ThermalStatus.NONE, null))
        rig.settle()
        assertFalse(rig.isShown(R.id.notice))
    }

    @Test
    fun `the processor and the threads are chosen and kept`() {
        rig.start()
        rig.tap(R.id.settings)
        rig.view<View>(R.id.processor_cpu).performClick()
        val threads = rig.parts.settings.read().engine.threads
        rig.view<View>(R.id.threads_more).performClick()
        rig.settle()
        val started = engine.started.last().second
        assertEquals(ProcessorChoice.CPU, started.choice)
        assertEquals(threads + 1, started.threads)
        assertEquals(started, rig.parts.settings.read().engine)
        repeat(12) { rig.view<View>(R.id.threads_fewer).performClick() }
        assertEquals(1, rig.parts.settings.read().engine.threads)
    }

    @Test
    fun `another model is chosen, and no label of the first stays`() {
        rig.parts.models.listing = ModelListing(listOf(modelNamed("first"), modelNamed("second")), emptyMap())
        rig.start()
        rig.seeStreet()
        rig.tap(R.id.settings)
        choices()[1].performClick()
        rig.settle()
        assertEquals("second", engine.started.last().first.name)
        assertNull(stage.shown)
        assertEquals(listOf(false, true), choices().map { it.isChecked })
        rig.startAgainFromSavedState()
        assertEquals("second", engine.started.last().first.name)
    }

    private fun choices(): List<RadioButton> {
        val rows = rig.view<android.view.ViewGroup>(R.id.model_choices)
        return (0 until rows.childCount).map { rows.getChildAt(it).part(R.id.choice) }
    }

    @Test
    fun `a model of the user is taken in and used`() {
        val imported = modelNamed("garden", imported = true)
        rig.parts.models.onImport = { documents ->
            assertEquals(listOf("garden.json", "garden.tflite"), documents.map { it.name }.sorted())
            rig.parts.models.listing = ModelListing(listOf(modelNamed(), imported), emptyMap())
            listOf(imported)
        }
        rig.start()
        val files = listOf("garden.tflite", "garden.json").map { Documents.of(folder.newFile(it)) }
        rig.choose(DocumentRequests.MODEL, *files.toTypedArray())
        assertEquals("garden", engine.started.last().first.name)
        assertEquals(rig.string(R.string.import_done, "garden"), ShadowToast.getTextOfLatestToast())
    }

    @Test
    fun `a refused import says what is wrong, and changes nothing`() {
        val problem = ImportProblem.Truncated("garden.tflite", 10, 4_000_000)
        rig.parts.models.onImport = { throw ModelImportException(problem) }
        rig.start()
        rig.choose(DocumentRequests.MODEL, Documents.of(folder.newFile("garden.tflite")))
        val dialog = ShadowDialog.getLatestDialog() as AlertDialog
        val text = shadowOf(dialog).message.toString()
        assertTrue(text, "garden.tflite" in text && "4000000" in text)
        assertEquals(1, engine.started.size)
    }

    @Test
    fun `an imported model is deleted after a question`() {
        val garden = modelNamed("garden", imported = true)
        rig.parts.models.listing = ModelListing(listOf(modelNamed(), garden), emptyMap())
        rig.start()
        rig.tap(R.id.settings)
        val row = rig.view<android.view.ViewGroup>(R.id.model_choices).getChildAt(1)
        row.part<View>(R.id.delete).performClick()
        (ShadowDialog.getLatestDialog() as AlertDialog).getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        rig.settle()
        assertEquals(listOf(garden), rig.parts.models.removed)
        assertEquals(1, choices().size)
    }

    @Test
    fun `files of models that cannot be used are named`() {
        val problem = ImportProblem.Corrupt("b0_int8.tflite")
        rig.parts.models.listing = ModelListing(listOf(modelNamed()), mapOf("b0_int8" to problem))
        rig.start()
        rig.tap(R.id.settings)
        assertTrue("b0_int8.tflite" in rig.text(R.id.model_problems))
    }

    // Pictures

    private fun startWithPicture() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        rig.choose(Street.file)
    }

    @Test
    fun `a picture is read, analysed and shown, and the camera rests meanwhile`() {
        startWithPicture()
        assertNull(rig.message)
        assertEquals(960, stage.shown?.picture?.width)
        assertTrue(stage.shown!!.map!!.labels.contentEquals(Street.labels().labels))
        assertNull("The camera is closed.", camera.listener)
        assertTrue(rig.isShown(R.id.save))
        rig.tap(R.id.freeze)
        assertNull(stage.shown)
        assertEquals(2, camera.opened.size)
    }

    @Test
    fun `a picture waits for the model`() {
        rig.parts.prepareEngine = { it.onStart = { null } }
        rig.start()
        rig.choose(Street.file)
        assertNotNull("The picture is seen, bare.", stage.shown)
        assertNull(stage.shown?.mask)
        engine.answer = { Street.labels() }
        engine.enter(EngineState.Starting(modelNamed(), Processor.CPU, emptyList()))
        engine.enter(EngineState.Running(cpuOf(modelNamed())))
        rig.settle()
        rig.tap(R.id.settings)
        rig.view<View>(R.id.processor_cpu).performClick()
        engine.onStart = { EngineState.Running(cpuOf(it)) }
        rig.view<View>(R.id.processor_auto).performClick()
        rig.settle()
        rig.view<View>(R.id.settings_close).performClick()
        rig.settle()
    }

    @Test
    fun `a damaged picture is told, and another can be chosen`() {
        rig.start()
        rig.choose(folder.newFile("broken.jpg").apply { writeText("no picture") })
        assertEquals(rig.string(R.string.picture_failed_title), rig.message)
        assertEquals(rig.string(R.string.picture_broken_text), rig.text(R.id.message_text))
        rig.choose(File(folder.root, "gone.jpg"))
        assertEquals(rig.string(R.string.picture_missing_text), rig.text(R.id.message_text))
        rig.tap(R.id.message_second)
        assertNull(rig.message)
        assertEquals(Source.CAMERA, sourceOnScreen())
    }

    private fun sourceOnScreen(): Source {
        val button = rig.view<View>(R.id.freeze).contentDescription
        return if (button == rig.string(R.string.back_to_camera)) Source.PICTURE else Source.CAMERA
    }

    @Test
    fun `the way back leads from the picture to the camera, and then out`() {
        startWithPicture()
        @Suppress("DEPRECATION")
        rig.activity.onBackPressed()
        rig.settle()
        assertEquals(Source.CAMERA, sourceOnScreen())
        @Suppress("DEPRECATION")
        rig.activity.onBackPressed()
        assertTrue(rig.activity.isFinishing)
    }

    @Test
    fun `before Android 10 a picture is saved to a document`() {
        startWithPicture()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        rig.tap(R.id.save)
        val asked = shadowOf(rig.activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val file = folder.newFile("saved.jpg")
        rig.choose(asked.requestCode, Documents.newAt(file))
        assertEquals(960, Street.decode(file).width)
        assertEquals("Saving is not sharing.", emptyList<Intent>(), choosers())
    }

    @Test
    fun `before Android 10 a picture is shared from the document that it was saved to`() {
        startWithPicture()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        rig.tap(R.id.share_button)
        val asked = shadowOf(rig.activity).nextStartedActivityForResult
        val document = Documents.newAt(folder.newFile("shared.jpg"))
        rig.choose(asked.requestCode, document)
        @Suppress("DEPRECATION")
        val send = choosers().single().getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        @Suppress("DEPRECATION")
        assertEquals(document, send.getParcelableExtra<Uri>(Intent.EXTRA_STREAM))
    }

    private fun choosers(): List<Intent> = generateSequence { shadowOf(rig.activity).nextStartedActivity }
        .filter { it.action == Intent.ACTION_CHOOSER }.toList()

    @Test
    fun `a document that cannot be written to is told`() {
        startWithPicture()
        rig.choose(DocumentRequests.SAVE_PICTURE, Uri.parse("content://nobody/1"))
        assertEquals(rig.string(R.string.save_failed), ShadowToast.getTextOfLatestToast())
    }

    // Life

    @Test
    fun `a turn of the device loses nothing`() {
        startWithPicture()
        rig.tap(R.id.times)
        val shown = stage.shown
        rig.recreate()
        assertSame(shown, stage.shown)
        assertTrue(rig.isShown(R.id.times_why))
        assertEquals("The engine is the same.", 1, rig.parts.engines.size)
        assertEquals(1, engine.started.size)
    }

    @Test
    fun `a turn of the device keeps a frozen picture, and the camera opens again`() {
        rig.start()
        rig.seeStreet()
        rig.tap(R.id.freeze)
        val shown = stage.shown
        rig.recreate()
        assertSame(shown, stage.shown)
        assertEquals(2, camera.opened.size)
        rig.tap(R.id.freeze)
        rig.seeStreet()
        assertNotNull(stage.shown)
    }

    @Test
    fun `the picture is read again after the end of the process`() {
        startWithPicture()
        rig.startAgainFromSavedState()
        assertEquals(2, rig.parts.engines.size)
        assertTrue(rig.parts.engines[0].closed)
        assertEquals(960, stage.shown?.picture?.width)
        assertNotNull(stage.shown?.mask)
    }

    @Test
    fun `a picture that is gone after the end of the process is told`() {
        rig.parts.prepareEngine = { it.answer = { Street.labels() } }
        rig.start()
        val copy = Street.file.copyTo(File(folder.root, "copy.jpg"))
        rig.choose(copy)
        copy.delete()
        rig.startAgainFromSavedState()
        assertEquals(rig.string(R.string.picture_missing_text), rig.text(R.id.message_text))
    }

    @Test
    fun `out of sight the camera is closed, and in sight opened`() {
        rig.start()
        rig.seeStreet()
        rig.controller.pause()
        assertNotNull("Beside another app the camera runs on.", camera.listener)
        rig.controller.stop()
        assertNull(camera.listener)
        rig.controller.start().resume()
        rig.settle()
        assertEquals(2, camera.opened.size)
        rig.seeStreet()
        assertNotNull(stage.shown)
    }

    @Test
    fun `memory is given back when the system asks for it`() {
        rig.start()
        rig.seeStreet()
        rig.activity.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND)
        assertEquals(listOf(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND), engine.trimmed)
        repeat(3) { rig.seeStreet() }
        assertNotNull(stage.shown)
    }

    @Test
    fun `the end of the activity ends the engine`() {
        rig.start()
        rig.seeStreet()
        rig.controller.pause().stop().destroy()
        assertTrue(engine.closed)
        assertNull(camera.listener)
    }

    @Test
    fun `everything that a message offers can be tapped`() {
        rig.start(allowed = false)
        for (id in listOf(R.id.message_first, R.id.message_second)) {
            assertTrue(rig.view<Button>(id).hasOnClickListeners())
        }
    }
}
