package org.kerassegformer.demo.ui

import android.graphics.Color
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.kerassegformer.core.VideoSize
import org.kerassegformer.demo.R
import org.kerassegformer.demo.pictures.FakeGallery
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowToast
import org.robolectric.util.ReflectionHelpers
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.OutputStream

/** Videos of the live image with its overlay. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class RecordingTest {
    @get:Rule
    val screen = ScreenRobot()

    private val recordings get() = screen.container.recordings
    private val saved = ByteArrayOutputStream()
    private val video: Uri =
        Uri.withAppendedPath(MediaStore.Video.Media.getContentUri(MediaStore.VOLUME_EXTERNAL_PRIMARY), "7")
    private lateinit var gallery: FakeGallery

    @Before
    fun setUp() {
        gallery = Robolectric.setupContentProvider(FakeGallery::class.java, MediaStore.AUTHORITY)
        shadowOf(screen.context.contentResolver).registerOutputStream(video, saved)
        screen.start()
        screen.showStreet()
    }

    private fun hold() {
        screen.view<View>(R.id.freeze).performLongClick()
        screen.waitForIdle()
    }

    private fun feed(frames: Int) = repeat(frames) {
        screen.advance(50)
        screen.showStreet()
    }

    private fun assertNothingIsLeft() {
        val left = screen.container.videoFolder.listFiles { file -> file.name.startsWith("recording_") }
        assertEquals(0, left?.size)
    }

    private fun toast(): String? = ShadowToast.getTextOfLatestToast()

    @Test
    fun `holding the shutter records what is shown until it is tapped`() {
        hold()
        feed(4)
        assertTrue(screen.text(R.id.notice).startsWith("Recording"))
        assertEquals("Stop recording", screen.view<View>(R.id.freeze).contentDescription)
        screen.tap(R.id.freeze)
        assertEquals(listOf(VideoSize(480, 640)), recordings.sizes)
        assertEquals(0L, recordings.times.first())
        assertEquals(4, recordings.times.distinct().size)
        assertEquals("${recordings.times.joinToString(" ")} end", saved.toString())
        assertEquals(listOf("insert pending=1 in Movies/SegFormer", "update pending=0"), gallery.told)
        assertEquals("Video saved to Movies/SegFormer", toast())
        assertNothingIsLeft()
        feed(1)
        assertEquals("no frames after the end", 4, recordings.frames.size)
        assertFalse("the shutter takes pictures again", screen.isShown(R.id.save))
    }

    @Test
    fun `the video shows the overlay`() {
        screen.container.settings.write(Settings(opacity = 100))
        hold()
        feed(1)
        val (frame) = recordings.frames
        val picture = checkNotNull(screen.view<SegmentationView>(R.id.segmentation).shown)
        val map = checkNotNull(picture.map)
        var same = 0
        for (y in 8 until 640 step 16) {
            for (x in 8 until 480 step 16) {
                val color = frame[y * 480 + x]
                val expected = CAMVID.colors[map[x * map.width / 480, y * map.height / 640].coerceIn(0, 10)]
                val isClose = maxOf(
                    kotlin.math.abs(Color.red(color) - Color.red(expected)),
                    kotlin.math.abs(Color.green(color) - Color.green(expected)),
                ) < 80
                if (isClose) same++
            }
        }
        assertTrue("$same of 1200", same > 700)
    }

    @Test
    fun `leaving the app completes the video`() {
        hold()
        feed(2)
        screen.controller.pause().stop()
        assertTrue(saved.toString().endsWith("end"))
        assertNothingIsLeft()
    }

    @Test
    fun `closing the app completes the video`() {
        hold()
        feed(2)
        screen.controller.pause().stop().destroy()
        assertTrue(saved.toString().endsWith("end"))
    }

    @Test
    fun `a full storage ends the recording, which is saved`() {
        hold()
        feed(2)
        recordings.freeBytes = 0
        feed(1)
        assertTrue(checkNotNull(toast()).startsWith("The storage is full: the recording was stopped"))
        assertTrue(saved.toString().endsWith("end"))
        assertFalse(screen.text(R.id.notice).startsWith("Recording"))
        recordings.freeBytes = Long.MAX_VALUE
        hold()
        feed(1)
        assertEquals(2, recordings.sizes.size)
    }

    @Test
    fun `a broken encoder is reported`() {
        recordings.isBroken = true
        hold()
        feed(1)
        assertEquals("The video could not be recorded. Try again.", toast())
        assertEquals(emptyList<String>(), gallery.told)
        assertNothingIsLeft()
    }

    @Test
    fun `a gallery that is full is reported, and nothing stays there`() {
        val full = object : OutputStream() {
            override fun write(value: Int): Unit = throw IOException("write failed: ENOSPC")
        }
        shadowOf(screen.context.contentResolver).registerOutputStream(video, full)
        hold()
        feed(1)
        screen.tap(R.id.freeze)
        assertTrue(checkNotNull(toast()).startsWith("Not saved: the storage is full"))
        assertEquals("delete", gallery.told.last())
        assertNothingIsLeft()
    }

    @Test
    fun `before Android 10 nothing is recorded`() {
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", Build.VERSION_CODES.P)
        hold()
        feed(1)
        assertEquals("Recording needs Android 10 or newer.", toast())
        assertEquals(emptyList<VideoSize>(), recordings.sizes)
    }
}
