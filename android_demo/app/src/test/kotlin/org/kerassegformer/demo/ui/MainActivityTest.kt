package org.kerassegformer.demo.ui

import android.Manifest
import android.app.AlertDialog
import android.content.ComponentCallbacks2
import android.content.Intent
import android.content.pm.PackageManager
import android.graphics.Bitmap
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS
import android.view.Surface
import android.view.TextureView
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ImageButton
import android.widget.RadioButton
import android.widget.SeekBar
import android.widget.Switch
import android.widget.TextView
import android.window.OnBackInvokedCallback
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.ModelSet
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.OutputSpec
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ProcessorChoice
import org.kerassegformer.core.Rotation
import org.kerassegformer.core.ThermalStatus
import org.kerassegformer.demo.R
import org.kerassegformer.demo.camera.CameraFacing
import org.kerassegformer.demo.camera.CameraFailure
import org.kerassegformer.demo.engine.EngineState
import org.kerassegformer.demo.engine.ThermalState
import org.kerassegformer.demo.models.IfTaken
import org.kerassegformer.demo.models.ImportProblem
import org.kerassegformer.demo.models.ModelImportException
import org.kerassegformer.demo.models.ModelListing
import org.kerassegformer.demo.models.StoredModel
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog
import org.robolectric.shadows.ShadowToast
import org.robolectric.util.ReflectionHelpers
import java.io.ByteArrayOutputStream
import java.io.File

/** The live screen with scripted camera, engine and models. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class MainActivityTest {
    @get:Rule
    val screen = ScreenRobot()

    @get:Rule
    val folder = TemporaryFolder()

    private val segmentation: SegmentationView get() = screen.view(R.id.segmentation)
    private val camera get() = screen.container.camera
    private val engine get() = screen.container.engine

    // The camera

    @Test
    fun `explains the permission, requests it and opens the camera`() {
        val activity = screen.start(allowed = false)
        assertEquals(screen.string(R.string.permission_title), screen.message)
        assertEquals(emptyList<CameraFacing>(), camera.opened)
        screen.tap(R.id.message_first)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), asked.requestedPermissions.toList())
        answerPermission(PackageManager.PERMISSION_GRANTED)
        assertEquals(listOf(CameraFacing.BACK), camera.opened)
        assertNull(screen.message)
    }

    @Test
    fun `a denied permission can be requested again`() {
        screen.start(allowed = false)
        screen.tap(R.id.message_first)
        showRationale(true)
        answerPermission(PackageManager.PERMISSION_DENIED)
        assertEquals(screen.string(R.string.permission_title), screen.message)
    }

    @Test
    fun `a permanent denial leads to the system settings`() {
        val activity = screen.start(allowed = false)
        screen.tap(R.id.message_first)
        showRationale(true)
        answerPermission(PackageManager.PERMISSION_DENIED)
        screen.tap(R.id.message_first)
        showRationale(false)
        answerPermission(PackageManager.PERMISSION_DENIED)
        assertEquals(screen.string(R.string.permission_denied_title), screen.message)
        screen.tap(R.id.message_first)
        assertEquals(ACTION_APPLICATION_DETAILS_SETTINGS, shadowOf(activity).nextStartedActivity.action)
        screen.controller.pause().stop()
        screen.allowCamera()
        screen.controller.start().resume()
        screen.waitForIdle()
        assertEquals(listOf(CameraFacing.BACK), camera.opened)
    }

    @Test
    fun `a permission dialog that was dismissed is not a permanent denial`() {
        screen.start(allowed = false)
        repeat(2) {
            screen.tap(R.id.message_first)
            answerPermission(PackageManager.PERMISSION_DENIED)
            assertEquals(screen.string(R.string.permission_title), screen.message)
        }
    }

    private fun showRationale(shown: Boolean) = shadowOf(screen.activity.packageManager)
        .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, shown)

    private fun answerPermission(result: Int) {
        screen.activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.CAMERA), intArrayOf(result))
        screen.waitForIdle()
    }

    @Test
    fun `a device without a camera offers images`() {
        camera.sides = emptyList()
        screen.start()
        assertEquals(screen.string(R.string.camera_absent_title), screen.message)
        screen.tap(R.id.message_first)
        assertEquals(MediaStore.ACTION_PICK_IMAGES, shadowOf(screen.activity).nextStartedActivity.action)
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.S)
        screen.tap(R.id.message_first)
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, shadowOf(screen.activity).nextStartedActivity.action)
    }

    @Test
    fun `each camera failure removes the image and offers a retry`() {
        screen.start()
        for (failure in CameraFailure.entries - CameraFailure.PERMISSION_DENIED) {
            screen.showStreet()
            assertNotNull(segmentation.shown)
            camera.fail(failure)
            screen.waitForIdle()
            assertNull(segmentation.shown)
            assertNotNull(screen.message)
            screen.tap(R.id.message_first)
            assertNull(screen.message)
        }
        assertEquals(CameraFailure.entries.size, camera.opened.size)
    }

    @Test
    fun `reopens the camera when it becomes available`() {
        screen.start()
        camera.fail(CameraFailure.IN_USE)
        checkNotNull(camera.listener).onAvailable()
        screen.waitForIdle()
        assertNull(screen.message)
        assertEquals(2, camera.opened.size)
    }

    @Test
    fun `switches between front and back, and shows the torch button if there is a torch`() {
        screen.start()
        screen.showStreet()
        screen.tap(R.id.torch)
        assertEquals(listOf(true), camera.torches)
        assertEquals(screen.string(R.string.flash_off), screen.view<ImageButton>(R.id.torch).contentDescription)
        screen.tap(R.id.flip)
        assertEquals(listOf(CameraFacing.BACK, CameraFacing.FRONT), camera.opened)
        assertNull("The image of the other camera is removed.", segmentation.shown)
        assertFalse(screen.isShown(R.id.torch))
    }

    @Test
    fun `a device with one camera has no switch button`() {
        camera.sides = listOf(CameraFacing.BACK)
        screen.start()
        assertFalse(screen.isShown(R.id.flip))
    }

    // Image and mask match

    @Test
    fun `shows the frame that the model processed, with its mask`() {
        screen.start()
        val frame = screen.showStreet()
        assertTrue(frame.closed)
        val shown = checkNotNull(segmentation.shown)
        assertEquals(480, shown.picture.width)
        assertEquals(640, shown.picture.height)
        assertTrue(shown.map!!.labels.contentEquals(StreetScene.uprightLabels().labels))
        assertNotNull(shown.mask)
        assertTrue(screen.isShown(R.id.legend_line))
    }

    @Test
    fun `turning the device upside down turns frames and preview, though no activity is recreated`() {
        val activity = screen.start()
        screen.showStreet()
        assertEquals(Rotation.CLOCKWISE_90, segmentation.shown?.geometry?.rotation)
        val preview = screen.view<TextureView>(R.id.preview)
        val before = preview.getTransform(null)

        turnTo(Surface.ROTATION_180)

        screen.showStreet()
        assertSame(activity, screen.activity)
        assertEquals(Rotation.CLOCKWISE_270, segmentation.shown?.geometry?.rotation)
        assertNotEquals(before, preview.getTransform(null))
        screen.controller.pause().stop()
        turnTo(Surface.ROTATION_0)
        screen.controller.start().resume()
        screen.showStreet()
        assertEquals(Rotation.CLOCKWISE_90, segmentation.shown?.geometry?.rotation)
    }

    private fun turnTo(rotation: Int) {
        @Suppress("DEPRECATION")
        shadowOf(screen.activity.windowManager.defaultDisplay).setRotation(rotation)
        screen.waitForIdle()
    }

    @Test
    fun `late labels are drawn over their own frame, and those of a closed camera are ignored`() {
        screen.container.prepareEngine = { it.answer = { null } }
        screen.start()
        val inUse = gpuOf(modelNamed())
        screen.showStreet()
        screen.showStreet()
        assertNull(segmentation.shown)
        engine.give(0, 1, StreetScene.uprightLabels(), inUse)
        screen.waitForIdle()
        assertEquals(0L, segmentation.shown?.frameId)
        screen.tap(R.id.flip)
        engine.give(1, 1, StreetScene.uprightLabels(), inUse)
        screen.waitForIdle()
        assertNull("The labels of the other camera are ignored.", segmentation.shown)
    }

    @Test
    fun `an outdated image is removed`() {
        screen.start()
        screen.showStreet()
        engine.answer = { null }
        screen.advance(2_500)
        assertNotNull(segmentation.shown)
        screen.advance(2_000)
        assertNull(segmentation.shown)
    }

    @Test
    fun `many frames reuse a few bitmaps`() {
        screen.start()
        val bitmaps = HashSet<Any>()
        repeat(30) {
            screen.showStreet()
            bitmaps += checkNotNull(segmentation.shown).picture
        }
        assertTrue("${bitmaps.size} bitmaps", bitmaps.size <= 5)
    }

    @Test
    fun `a frame that the engine cannot use is skipped`() {
        screen.start()
        screen.showStreet()
        engine.answer = { engine.failFrame(it.id); null }
        repeat(20) { screen.showStreet() }
        engine.answer = { StreetScene.uprightLabels() }
        screen.showStreet()
        assertEquals(21L, segmentation.shown?.frameId)
    }

    @Test
    fun `a frozen image stays and can be saved`() {
        screen.start()
        assertFalse("There is nothing to freeze.", screen.view<View>(R.id.freeze).isEnabled)
        screen.showStreet()
        val shown = segmentation.shown
        assertFalse(screen.isShown(R.id.save))
        screen.tap(R.id.freeze)
        val frame = screen.showStreet()
        assertTrue("A rejected frame is closed.", frame.closed)
        assertSame(shown, segmentation.shown)
        assertTrue(screen.isShown(R.id.save))
        assertTrue(screen.isShown(R.id.share_button))
        screen.advance(10_000)
        assertSame(shown, segmentation.shown)
        screen.tap(R.id.freeze)
        screen.showStreet()
        assertFalse(shown === segmentation.shown)
    }

    @Test
    fun `freezing takes an image at the size of the sensor, which is saved with its own labels`() {
        camera.still = jpegOf(Bitmap.createScaledBitmap(StreetScene.picture(), 2400, 1800, true))
        screen.start()
        screen.showStreet()
        screen.tap(R.id.freeze)
        val shown = checkNotNull(segmentation.shown)
        assertEquals(1536 to 2048, shown.picture.width to shown.picture.height)
        assertNotNull(shown.mask)

        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        screen.tap(R.id.save)
        val asked = shadowOf(screen.activity).nextStartedActivityForResult
        val file = folder.newFile("saved.jpg")
        screen.choose(asked.requestCode, FakeDocuments.newAt(file))
        val saved = StreetScene.decode(file)
        assertEquals(1800 to 2400, saved.width to saved.height)

        screen.tap(R.id.freeze)
        assertSame("the image stays until the next frame", shown, segmentation.shown)
        screen.showStreet()
        assertEquals(480, segmentation.shown?.picture?.width)
    }

    @Test
    fun `a still image that cannot be decoded leaves the frozen frame`() {
        camera.still = byteArrayOf(1, 2, 3)
        screen.start()
        screen.showStreet()
        val frame = segmentation.shown
        screen.tap(R.id.freeze)
        assertSame(frame, segmentation.shown)
        assertTrue(screen.isShown(R.id.save))
    }

    private fun jpegOf(bitmap: Bitmap): ByteArray = ByteArrayOutputStream()
        .also { bitmap.compress(Bitmap.CompressFormat.JPEG, 90, it) }.toByteArray()

    @Test
    fun `labels that arrive after freezing are ignored`() {
        screen.start()
        screen.showStreet()
        engine.answer = { null }
        screen.showStreet()
        val shown = segmentation.shown
        screen.tap(R.id.freeze)
        engine.give(1, 1, StreetScene.uprightLabels(), gpuOf(modelNamed()))
        screen.waitForIdle()
        assertSame(shown, segmentation.shown)
    }

    // Touch

    @Test
    fun `a tap names the class at that point`() {
        screen.start()
        screen.showStreet()
        ScreenRobot.draw(screen.activity, 784, 1632)
        val named = ArrayList<String?>()
        segmentation.onPlaceTapped = { named += it }
        val box = checkNotNull(segmentation.pictureBox)
        Touch.tap(segmentation, box.centerX(), box.bottom - 20)
        Touch.tap(segmentation, box.left + box.width() * .41f, box.top + box.height() * .52f)
        Touch.tap(segmentation, box.centerX(), box.bottom + 30)
        assertEquals(listOf("Road", "Car", null), named)
    }

    @Test
    fun `a screen reader describes the classes, and a double tap names the centre`() {
        screen.start()
        screen.showStreet()
        screen.advance(1_000)
        assertTrue(segmentation.contentDescription.toString(), "Road" in segmentation.contentDescription)
        ScreenRobot.draw(screen.activity, 784, 1632)
        var named: String? = null
        segmentation.onPlaceTapped = { named = it }
        segmentation.performClick()
        assertNotNull(named)
    }

    @Test
    fun `tapping a legend row shows only its class, tapping again shows all`() {
        screen.start()
        screen.showStreet()
        val legend = screen.view<ViewGroup>(R.id.legend)
        val names = segmentation.shown!!.shares.map { it.name }
        assertEquals(names.size, legend.childCount)
        legend.getChildAt(1).performClick()
        screen.showStreet()
        assertTrue(legend.getChildAt(1).isSelected)
        assertTrue(legend.getChildAt(1).contentDescription.startsWith(names[1]))
        assertEquals(setOf(names[1]), segmentation.shown!!.anchors.map { CAMVID.names[it.index] }.toSet())
        legend.getChildAt(1).performClick()
        screen.showStreet()
        assertFalse(legend.getChildAt(1).isSelected)
    }

    @Test
    fun `a class can be selected in a frozen image, and the live view continues`() {
        screen.start()
        screen.showStreet()
        screen.tap(R.id.freeze)
        val before = checkNotNull(segmentation.shown)
        screen.view<ViewGroup>(R.id.legend).getChildAt(0).performClick()
        screen.waitForIdle()
        val after = checkNotNull(segmentation.shown)
        assertSame(before.picture, after.picture)
        assertFalse(before === after)
        screen.tap(R.id.freeze)
        val pictures = (0 until 12).map { screen.showStreet(); checkNotNull(segmentation.shown).picture }
        assertTrue(pictures.zipWithNext().all { (one, next) -> one !== next })
    }

    @Test
    fun `dragging the classes up shows all of them, dragging the sheet down closes it`() {
        screen.start()
        screen.showStreet()
        assertFalse(screen.isShown(R.id.legend))
        draw()
        val bar = screen.view<View>(R.id.legend_bar)
        Touch.drag(bar, 200f, bar.height - 40f, 205f, -100f)
        screen.waitForIdle()
        assertTrue(screen.isShown(R.id.legend))
        draw()
        Touch.drag(screen.view(R.id.sheet), 200f, 30f, 205f, 300f)
        screen.waitForIdle()
        assertFalse(screen.isShown(R.id.legend))
        draw()
        Touch.drag(bar, 400f, bar.height - 40f, 100f, bar.height - 50f)
        assertFalse("Dragging sideways scrolls the classes.", screen.isShown(R.id.legend))
    }

    @Test
    fun `a tapped chip shows only its class`() {
        screen.start()
        screen.showStreet()
        val chips = screen.view<ViewGroup>(R.id.chips)
        assertEquals(segmentation.shown!!.shares.size, chips.childCount)
        chips.getChildAt(0).performClick()
        screen.waitForIdle()
        assertTrue(chips.getChildAt(0).isSelected)
        assertTrue(screen.view<ViewGroup>(R.id.legend).getChildAt(0).isSelected)
    }

    @Test
    fun `two fingers magnify the live image in the camera and a still one on the screen`() {
        screen.start()
        screen.showStreet()
        draw()
        Touch.pinch(segmentation, 400f, 760f)
        screen.waitForIdle()
        assertTrue("${camera.zooms}", camera.zooms.last() in 1.3f..2f)
        assertTrue(screen.isShown(R.id.zoom))
        screen.tap(R.id.zoom)
        assertEquals(1f, camera.zooms.last())
        assertFalse(screen.isShown(R.id.zoom))

        screen.tap(R.id.freeze)
        draw()
        val before = checkNotNull(segmentation.pictureBox)
        Touch.pinch(segmentation, 400f, 760f)
        val magnified = checkNotNull(segmentation.pictureBox)
        assertTrue("$before $magnified", magnified.width() / before.width() in 1.3f..2f)
        Touch.drag(segmentation, 300f, 500f, 250f, 450f)
        assertTrue(checkNotNull(segmentation.pictureBox).left < magnified.left)
        assertEquals("Still images are not the camera's.", 1f, camera.zooms.last())
        screen.tap(R.id.freeze)
        screen.showStreet()
        assertEquals(before, segmentation.pictureBox)
    }

    @Test
    fun `a tap focuses the camera on that point of its sensor`() {
        screen.start()
        screen.showStreet()
        draw()
        val box = checkNotNull(segmentation.pictureBox)
        Touch.tap(segmentation, box.left + box.width() * .25f, box.top + box.height() * .75f)
        screen.waitForIdle()
        // The frame is rotated clockwise by 90 degrees to be upright.
        val (x, y) = camera.focuses.single()
        assertEquals(.75f, x, .01f)
        assertEquals(.75f, y, .01f)
        screen.tap(R.id.freeze)
        Touch.tap(segmentation, box.centerX(), box.centerY())
        assertEquals(1, camera.focuses.size)
    }

    @Test
    fun `the image is as wide as the screen`() {
        screen.start()
        screen.showStreet()
        draw()
        val box = checkNotNull(segmentation.pictureBox)
        assertEquals(0f, box.left, 1f)
        assertEquals(784f, box.right, 1f)
        assertTrue("Below the bar at the top: $box", box.top >= screen.view<View>(R.id.top_line).height)
        assertTrue("Above the shutter: $box", box.bottom <= screen.view<View>(R.id.controls).top)
    }

    @Test
    @Config(qualifiers = "ko-$PHONE")
    fun `classes have Korean names`() {
        screen.start()
        screen.showStreet()
        val row = screen.view<ViewGroup>(R.id.legend).getChildAt(0)
        assertEquals("도로", row.requireView<TextView>(R.id.name).text)
        draw()
        var named: String? = null
        segmentation.onPlaceTapped = { named = it }
        val box = checkNotNull(segmentation.pictureBox)
        Touch.tap(segmentation, box.centerX(), box.bottom - 20)
        assertEquals("도로", named)
    }

    private fun draw() = ScreenRobot.draw(screen.activity, 784, 1632)

    @Test
    fun `nothing under the permission request can be tapped in vain`() {
        screen.start(allowed = false)
        for (id in listOf(R.id.freeze, R.id.torch, R.id.flip, R.id.save, R.id.share_button, R.id.legend_line)) {
            assertFalse(screen.activity.resources.getResourceEntryName(id), screen.isShown(id))
        }
        assertTrue(screen.isShown(R.id.open_picture))
    }

    @Test
    fun `the opacity is persistent`() {
        screen.start()
        val bar = screen.view<SeekBar>(R.id.opacity)
        val listener = shadowOf(bar).onSeekBarChangeListener
        bar.progress = 20
        listener.onStopTrackingTouch(bar)
        assertEquals("20%", screen.text(R.id.opacity_value))
        assertEquals(.2f, segmentation.opacity, 1e-6f)
        screen.recreate()
        assertEquals(20, screen.view<SeekBar>(R.id.opacity).progress)
        assertEquals(20, screen.container.settings.read().opacity)
    }

    // The model

    @Test
    fun `shows which processor is tested while the model loads`() {
        screen.container.prepareEngine = { it.onStart = { null } }
        screen.start()
        assertEquals(screen.string(R.string.model_loading_title), screen.message)
        assertEquals(screen.string(R.string.latency_starting, "GPU"), screen.text(R.id.latency_compact))
    }

    @Test
    fun `shows the processor, its latency, and why it is used`() {
        screen.start()
        repeat(3) { screen.showStreet() }
        screen.tap(R.id.latency)
        assertTrue(screen.text(R.id.latency_compact), screen.text(R.id.latency_compact).startsWith("GPU · 24\u00a0ms · "))
        assertTrue("99.6%" in screen.text(R.id.latency_why))
        assertEquals(7, screen.view<android.widget.TableLayout>(R.id.latency_table).childCount)
        assertTrue("b0_camvid_float16" in screen.text(R.id.latency_why))
        screen.tap(R.id.latency)
        assertFalse(screen.isShown(R.id.latency_why))
    }

    @Test
    fun `names a crashed and a rejected processor`() {
        screen.container.prepareEngine = { engine -> engine.onStart = { EngineState.Running(cpuOf(it)) } }
        screen.start()
        screen.tap(R.id.latency)
        val why = screen.text(R.id.latency_why)
        assertTrue(why, screen.string(R.string.rejected_crashed) in why)
        assertTrue(why, "61.2%" in why && "98%" in why)
        screen.tap(R.id.settings)
        screen.view<View>(R.id.forget_failures).performClick()
        screen.waitForIdle()
        assertEquals(1, engine.forgotten)
        assertEquals(2, engine.started.size)
    }

    @Test
    fun `a model that no processor can run shows the reasons and leads to the model list`() {
        screen.container.prepareEngine = { engine -> engine.onStart = { EngineState.Failed(it, cpuOf(it).rejected) } }
        screen.start()
        assertEquals(screen.string(R.string.model_failed_title), screen.message)
        assertTrue("61.2%" in screen.text(R.id.message_text))
        screen.tap(R.id.message_second)
        assertEquals(2, engine.started.size)
        assertEquals("a retry includes the processors of the crash log", 1, engine.forgotten)
        screen.tap(R.id.message_first)
        assertTrue(screen.isShown(R.id.settings_panel))
    }

    @Test
    fun `a stalled model is reported and can be restarted`() {
        screen.start()
        screen.showStreet()
        engine.answer = { null }
        screen.showStreet()
        screen.advance(StallDetector.LIMIT_MILLIS + 2_000)
        assertEquals(screen.string(R.string.model_stalled_title), screen.message)
        assertNull(segmentation.shown)
        engine.answer = { StreetScene.uprightLabels() }
        screen.tap(R.id.message_first)
        screen.showStreet()
        assertNull(screen.message)
        assertNotNull(segmentation.shown)
    }

    @Test
    fun `a build without models asks to import one`() {
        screen.container.models.listing = ModelListing(emptyList(), emptyMap())
        screen.start()
        assertEquals(screen.string(R.string.model_none_title), screen.message)
        assertEquals(screen.string(R.string.latency_no_model), screen.text(R.id.latency_compact))
    }

    @Test
    fun `thermal throttling is shown`() {
        screen.start()
        engine.reportThermalState(ThermalState(ThermalStatus.SEVERE, 5))
        screen.waitForIdle()
        assertEquals(screen.string(R.string.thermal_throttled), screen.text(R.id.notice))
        engine.reportThermalState(ThermalState(ThermalStatus.NONE, null))
        screen.waitForIdle()
        assertFalse(screen.isShown(R.id.notice))
    }

    @Test
    fun `processors that the build does not have cannot be selected`() {
        screen.container.unsupported = setOf(Processor.GPU, Processor.NNAPI)
        screen.start()
        screen.tap(R.id.settings)
        val choices = listOf(R.id.processor_auto, R.id.processor_gpu, R.id.processor_nnapi, R.id.processor_cpu)
        fun shown() = choices.map { screen.view<View>(it).visibility == View.VISIBLE }
        assertEquals(listOf(false, false, false, true), shown())
        assertTrue(screen.view<RadioButton>(R.id.processor_cpu).isChecked)
    }

    @Test
    fun `a single accelerator can be selected`() {
        screen.container.unsupported = setOf(Processor.NNAPI)
        screen.start()
        screen.tap(R.id.settings)
        assertEquals(View.GONE, screen.view<View>(R.id.processor_nnapi).visibility)
        assertEquals(View.VISIBLE, screen.view<View>(R.id.processor_gpu).visibility)
        assertTrue(screen.view<RadioButton>(R.id.processor_auto).isChecked)
    }

    @Test
    fun `the processor and the number of threads are persistent`() {
        screen.start()
        screen.tap(R.id.settings)
        screen.view<View>(R.id.processor_cpu).performClick()
        val threads = screen.container.settings.read().engine.threads
        screen.view<View>(R.id.threads_more).performClick()
        screen.waitForIdle()
        val started = engine.started.last().second
        assertEquals(ProcessorChoice.CPU, started.choice)
        assertEquals(threads + 1, started.threads)
        assertEquals(started, screen.container.settings.read().engine)
        repeat(12) { screen.view<View>(R.id.threads_fewer).performClick() }
        assertEquals(1, screen.container.settings.read().engine.threads)
    }

    @Test
    fun `selecting another model removes the labels of the first`() {
        screen.container.models.listing = ModelListing(listOf(modelNamed("first"), modelNamed("second")), emptyMap())
        screen.start()
        screen.showStreet()
        screen.tap(R.id.settings)
        choices()[1].performClick()
        screen.waitForIdle()
        assertEquals("second", engine.started.last().first.name)
        assertNull(segmentation.shown)
        assertEquals(listOf(false, true), choices().map { it.isChecked })
        screen.restoreFromSavedState()
        assertEquals("second", engine.started.last().first.name)
    }

    private fun choices(): List<RadioButton> {
        val rows = screen.view<ViewGroup>(R.id.model_choices)
        return (0 until rows.childCount).map { rows.getChildAt(it).requireView(R.id.choice) }
    }

    @Test
    fun `a model of the user is imported and selected`() {
        val imported = modelNamed("garden", imported = true)
        screen.container.models.onImport = { documents ->
            assertEquals(listOf("garden.json", "garden.tflite"), documents.map { it.name }.sorted())
            screen.container.models.listing = ModelListing(listOf(modelNamed(), imported), emptyMap())
            listOf(imported)
        }
        screen.start()
        val files = listOf("garden.tflite", "garden.json").map { FakeDocuments.of(folder.newFile(it)) }
        screen.choose(DocumentRequests.MODEL, *files.toTypedArray())
        assertEquals("garden", engine.started.last().first.name)
        assertEquals(screen.string(R.string.import_done, "garden"), ShadowToast.getTextOfLatestToast())
    }

    @Test
    fun `a failed import shows the problem and changes nothing`() {
        val problem = ImportProblem.Truncated("garden.tflite", 10, 4_000_000)
        screen.container.models.onImport = { throw ModelImportException(problem) }
        screen.start()
        screen.choose(DocumentRequests.MODEL, FakeDocuments.of(folder.newFile("garden.tflite")))
        val dialog = ShadowDialog.getLatestDialog() as AlertDialog
        val text = shadowOf(dialog).message.toString()
        assertTrue(text, "garden.tflite" in text && "4000000" in text)
        assertEquals(1, engine.started.size)
    }

    @Test
    fun `another model of the same name is replaced after a question`() {
        screen.start()
        screen.container.models.onImport = {
            if (screen.container.models.answers.size == 1) {
                throw ModelImportException(ImportProblem.NameTaken("mine.tflite", "mine"))
            }
            emptyList<StoredModel>() + modelNamed("mine", imported = true)
        }
        screen.choose(DocumentRequests.MODEL, FakeDocuments.of(folder.newFile("mine.tflite")))
        val question = ShadowDialog.getLatestDialog() as AlertDialog
        question.getButton(AlertDialog.BUTTON_NEUTRAL).performClick()
        screen.waitForIdle()
        assertEquals(listOf(IfTaken.ASK, IfTaken.KEEP_BOTH), screen.container.models.answers)
    }

    @Test
    fun `an imported model is deleted after confirmation`() {
        val garden = modelNamed("garden", imported = true)
        screen.container.models.listing = ModelListing(listOf(modelNamed(), garden), emptyMap())
        screen.start()
        screen.tap(R.id.settings)
        val row = screen.view<ViewGroup>(R.id.model_choices).getChildAt(1)
        row.requireView<View>(R.id.delete).performClick()
        (ShadowDialog.getLatestDialog() as AlertDialog).getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        screen.waitForIdle()
        assertEquals(listOf(garden), screen.container.models.removed)
        assertEquals(1, choices().size)
    }

    @Test
    fun `uncertain areas can be hidden if the model returns logits`() {
        screen.start()
        screen.tap(R.id.settings)
        assertFalse(screen.isShown(R.id.hide_unsure))
        val model = modelNamed("logits")
        val output = OutputSpec(OutputKind.LOGITS, 128, 128, 11)
        val files = model.set.files.map { it.copy(spec = it.spec.copy(output = output)) }
        val locations = files.associate { it.stem to model.locationOf(it) }
        val logits = StoredModel(ModelSet("logits", files), locations, imported = false)
        screen.container.models.listing = ModelListing(listOf(logits), emptyMap())
        screen.restoreFromSavedState()
        val switch = screen.view<Switch>(R.id.hide_unsure)
        assertTrue(switch.isShown && switch.isChecked)
        switch.performClick()
        screen.waitForIdle()
        assertFalse(engine.started.last().second.hidesUnsure)
        assertFalse(screen.container.settings.read().engine.hidesUnsure)
    }

    @Test
    fun `unusable model files are listed`() {
        val problem = ImportProblem.Corrupt("b0_int8.tflite")
        screen.container.models.listing = ModelListing(listOf(modelNamed()), mapOf("b0_int8" to problem))
        screen.start()
        screen.tap(R.id.settings)
        assertTrue("b0_int8.tflite" in screen.text(R.id.model_problems))
    }

    // Images

    private fun startWithPicture() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        screen.choose(StreetScene.file)
    }

    @Test
    fun `an image is loaded, segmented and shown while the camera is closed`() {
        startWithPicture()
        assertNull(screen.message)
        assertEquals(960, segmentation.shown?.picture?.width)
        assertTrue(segmentation.shown!!.map!!.labels.contentEquals(StreetScene.labels().labels))
        assertNull("The camera is closed.", camera.listener)
        assertTrue(screen.isShown(R.id.save))
        screen.tap(R.id.freeze)
        assertNull(segmentation.shown)
        assertEquals(2, camera.opened.size)
    }

    @Test
    fun `an image that another app shares is segmented`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start(intent = shareOf(FakeDocuments.of(StreetScene.file)))
        assertEquals(960, segmentation.shown?.picture?.width)
        assertNotNull(segmentation.shown?.mask)
        screen.tap(R.id.freeze)
        screen.controller.newIntent(shareOf(FakeDocuments.of(StreetScene.file)))
        screen.waitForIdle()
        assertEquals(960, segmentation.shown?.picture?.width)
    }

    @Test
    fun `a file of the app cannot be shared with it`() {
        screen.start(intent = shareOf(Uri.fromFile(StreetScene.file.absoluteFile)))
        assertNull(segmentation.shown)
        assertEquals(Source.CAMERA, sourceOnScreen())
        screen.controller.newIntent(Intent(Intent.ACTION_SEND).putExtra(Intent.EXTRA_STREAM, Intent()))
        assertEquals(Source.CAMERA, sourceOnScreen())
    }

    private fun shareOf(picture: Uri): Intent =
        Intent(Intent.ACTION_SEND).setType("image/jpeg").putExtra(Intent.EXTRA_STREAM, picture)

    @Test
    fun `the licences are one tap away from the settings`() {
        screen.start()
        screen.tap(R.id.settings)
        screen.view<View>(R.id.open_licences).performClick()
        val opened = shadowOf(screen.activity).nextStartedActivity
        assertEquals(LicencesActivity::class.java.name, opened.component?.className)
    }

    @Test
    fun `an image waits for the model`() {
        screen.container.prepareEngine = { it.onStart = { null } }
        screen.start()
        screen.choose(StreetScene.file)
        assertNotNull("The image is shown without a mask.", segmentation.shown)
        assertNull(segmentation.shown?.mask)
        engine.answer = { StreetScene.labels() }
        engine.enter(EngineState.Starting(modelNamed(), Processor.CPU, emptyList()))
        engine.enter(EngineState.Running(cpuOf(modelNamed())))
        screen.waitForIdle()
        screen.tap(R.id.settings)
        screen.view<View>(R.id.processor_cpu).performClick()
        engine.onStart = { EngineState.Running(cpuOf(it)) }
        screen.view<View>(R.id.processor_auto).performClick()
        screen.waitForIdle()
        screen.view<View>(R.id.settings_close).performClick()
        screen.waitForIdle()
    }

    @Test
    fun `a damaged image is reported, and another can be opened`() {
        screen.start()
        screen.choose(folder.newFile("broken.jpg").apply { writeText("no picture") })
        assertEquals(screen.string(R.string.picture_failed_title), screen.message)
        assertEquals(screen.string(R.string.picture_corrupt_text), screen.text(R.id.message_text))
        screen.choose(File(folder.root, "gone.jpg"))
        assertEquals(screen.string(R.string.picture_missing_text), screen.text(R.id.message_text))
        screen.tap(R.id.message_second)
        assertNull(screen.message)
        assertEquals(Source.CAMERA, sourceOnScreen())
    }

    private fun sourceOnScreen(): Source {
        val button = screen.view<View>(R.id.freeze).contentDescription
        return if (button == screen.string(R.string.back_to_camera)) Source.PICTURE else Source.CAMERA
    }

    @Test
    fun `Back leads from the image to the camera, and then leaves the app`() {
        startWithPicture()
        @Suppress("DEPRECATION")
        screen.activity.onBackPressed()
        screen.waitForIdle()
        assertEquals(Source.CAMERA, sourceOnScreen())
        @Suppress("DEPRECATION")
        screen.activity.onBackPressed()
        assertTrue(screen.activity.isFinishing)
    }

    @Test
    fun `the gesture of Back is only handled while it leads to another state`() {
        screen.start()
        val state = { screen.activity.let { ReflectionHelpers.getField<BackButton>(it, "back").isHandled } }
        assertFalse("Android shows what lies behind the app.", state())
        screen.tap(R.id.settings)
        assertTrue(state())
        goBack()
        assertFalse(screen.isShown(R.id.settings_panel))
        assertFalse(state())
    }

    /** What Android calls at the end of the gesture. */
    private fun goBack() {
        val button = ReflectionHelpers.getField<BackButton>(screen.activity, "back")
        val since33 = ReflectionHelpers.getField<Any>(button, "callback")
        ReflectionHelpers.getField<OnBackInvokedCallback>(since33, "callback").onBackInvoked()
        screen.waitForIdle()
    }

    @Test
    fun `before Android 10 an image is saved to a document`() {
        startWithPicture()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        screen.tap(R.id.save)
        val asked = shadowOf(screen.activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val file = folder.newFile("saved.jpg")
        screen.choose(asked.requestCode, FakeDocuments.newAt(file))
        assertEquals(960, StreetScene.decode(file).width)
        assertEquals("Saving does not share.", emptyList<Intent>(), choosers())
    }

    @Test
    fun `before Android 10 an image is shared from the document that it was saved to`() {
        startWithPicture()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        screen.tap(R.id.share_button)
        val asked = shadowOf(screen.activity).nextStartedActivityForResult
        val document = FakeDocuments.newAt(folder.newFile("shared.jpg"))
        screen.choose(asked.requestCode, document)
        @Suppress("DEPRECATION")
        val send = choosers().single().getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        @Suppress("DEPRECATION")
        assertEquals(document, send.getParcelableExtra<Uri>(Intent.EXTRA_STREAM))
    }

    @Test
    fun `an image that was saved while the device was turned is shared`() {
        startWithPicture()
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        screen.tap(R.id.share_button)
        val asked = shadowOf(screen.activity).nextStartedActivityForResult
        val tasks = ArrayList<Runnable>()
        screen.container.runFileTask = { tasks += it }
        screen.choose(asked.requestCode, FakeDocuments.newAt(folder.newFile("shared.jpg")))
        screen.recreate()
        tasks.forEach(Runnable::run)
        screen.waitForIdle()
        assertEquals(1, choosers().size)
    }

    private fun choosers(): List<Intent> = generateSequence { shadowOf(screen.activity).nextStartedActivity }
        .filter { it.action == Intent.ACTION_CHOOSER }.toList()

    @Test
    fun `a document that is not writable is reported`() {
        startWithPicture()
        screen.choose(DocumentRequests.SAVE_PICTURE, Uri.parse("content://nobody/1"))
        assertEquals(screen.string(R.string.save_failed), ShadowToast.getTextOfLatestToast())
    }

    // Lifecycle

    @Test
    fun `rotating the device keeps the state`() {
        startWithPicture()
        screen.tap(R.id.latency)
        val shown = segmentation.shown
        screen.recreate()
        assertSame(shown, segmentation.shown)
        assertTrue(screen.isShown(R.id.latency_why))
        assertEquals("The engine is the same.", 1, screen.container.engines.size)
        assertEquals(1, engine.started.size)
    }

    @Test
    fun `rotating the device keeps a frozen image and reopens the camera`() {
        screen.start()
        screen.showStreet()
        screen.tap(R.id.freeze)
        val shown = segmentation.shown
        screen.recreate()
        assertSame(shown, segmentation.shown)
        assertEquals(2, camera.opened.size)
        screen.tap(R.id.freeze)
        screen.showStreet()
        assertNotNull(segmentation.shown)
    }

    @Test
    fun `the image is read again after process death`() {
        startWithPicture()
        screen.restoreFromSavedState()
        assertEquals(2, screen.container.engines.size)
        assertTrue(screen.container.engines[0].closed)
        assertEquals(960, segmentation.shown?.picture?.width)
        assertNotNull(segmentation.shown?.mask)
    }

    @Test
    fun `an image that is missing after process death is reported`() {
        screen.container.prepareEngine = { it.answer = { StreetScene.labels() } }
        screen.start()
        val copy = StreetScene.file.copyTo(File(folder.root, "copy.jpg"))
        screen.choose(copy)
        copy.delete()
        screen.restoreFromSavedState()
        assertEquals(screen.string(R.string.picture_missing_text), screen.text(R.id.message_text))
    }

    @Test
    fun `the camera is closed in the background and reopened in the foreground`() {
        screen.start()
        screen.showStreet()
        screen.controller.pause()
        assertNotNull("In multi-window mode the camera keeps running.", camera.listener)
        screen.controller.stop()
        assertNull(camera.listener)
        screen.controller.start().resume()
        screen.waitForIdle()
        assertEquals(2, camera.opened.size)
        screen.showStreet()
        assertNotNull(segmentation.shown)
    }

    @Test
    fun `memory is freed when the system asks for it`() {
        screen.start()
        screen.showStreet()
        screen.activity.onTrimMemory(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND)
        assertEquals(listOf(ComponentCallbacks2.TRIM_MEMORY_BACKGROUND), engine.trimmed)
        repeat(3) { screen.showStreet() }
        assertNotNull(segmentation.shown)
    }

    @Test
    fun `destroying the activity closes the engine`() {
        screen.start()
        screen.showStreet()
        screen.controller.pause().stop().destroy()
        assertTrue(engine.closed)
        assertTrue(camera.released)
    }

    @Test
    fun `what survives the activity is made without it`() {
        val needs = LiveSession::class.java.declaredConstructors.flatMap { it.parameterTypes.toList() }
        assertEquals(listOf<Class<*>>(AppContainer::class.java), needs)
    }

    @Test
    fun `all actions of a message can be tapped`() {
        screen.start(allowed = false)
        for (id in listOf(R.id.message_first, R.id.message_second)) {
            assertTrue(screen.view<Button>(id).hasOnClickListeners())
        }
    }
}
