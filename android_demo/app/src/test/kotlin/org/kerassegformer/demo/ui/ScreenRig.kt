package org.kerassegformer.demo.ui

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Insets
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.widget.TextView
import org.junit.rules.ExternalResource
import org.kerassegformer.demo.R
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowLooper
import java.io.File

/** Starts the screens of the app on [parts], and looks at them. */
internal class ScreenRig : ExternalResource() {
    val context: Context get() = RuntimeEnvironment.getApplication()
    val parts: FakeParts by lazy { FakeParts(context) }
    private val controllers = ArrayList<ActivityController<out Activity>>()
    lateinit var controller: ActivityController<MainActivity>
        private set

    val activity: MainActivity get() = controller.get()

    override fun before() {
        AppParts.factory = { parts }
    }

    override fun after() {
        controllers.forEach { runCatching { it.close() } }
        AppParts.factory = { DeviceParts.of(it) }
    }

    fun allowCamera(): Unit = shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)

    /** Starts the live screen, with the camera allowed or not. */
    fun start(allowed: Boolean = true): MainActivity {
        if (allowed) allowCamera()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup().visible()
        controllers += controller
        settle()
        return activity
    }

    /** Starts the benchmark's screen. */
    fun startBenchmark(intent: Intent = Intent()): BenchmarkActivity {
        val controller = Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup().visible()
        controllers += controller
        settle()
        return controller.get()
    }

    /** Makes the activity anew, as a turn of the device does. */
    fun recreate() {
        controller.recreate()
        settle()
    }

    /** Ends the process and starts the screen from what it had saved. */
    fun startAgainFromSavedState() {
        val saved = android.os.Bundle()
        controller.saveInstanceState(saved).pause().stop().destroy()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup(saved).visible()
        controllers += controller
        settle()
    }

    /** A frame of the camera, and all that follows from it. */
    fun seeStreet(): ArrayYuv {
        val frame = Street.frame()
        parts.camera.give(frame)
        settle()
        return frame
    }

    /** Chooses a picture, as the document picker does. */
    fun choose(file: File) {
        choose(DocumentRequests.PICTURE, Documents.of(file))
    }

    /** Gives the answer of a document picker. */
    fun choose(request: Int, vararg documents: Uri) {
        val data = Intent()
        if (documents.size == 1) data.data = documents[0]
        if (documents.size > 1) {
            data.clipData = android.content.ClipData.newRawUri("", documents[0])
            documents.drop(1).forEach { data.clipData!!.addItem(android.content.ClipData.Item(it)) }
        }
        @Suppress("DEPRECATION")
        shadowOf(activity).callOnActivityResult(request, Activity.RESULT_OK, data)
        settle()
    }

    /** Lets all threads with a queue finish what waits in it. */
    fun settle() {
        repeat(SETTLING_ROUNDS) {
            ShadowLooper.getAllLoopers().filter { it.thread.isAlive }.forEach { shadowOf(it).idle() }
        }
    }

    /** Lets time pass. */
    fun pass(millis: Long) {
        shadowOf(android.os.Looper.getMainLooper()).idleFor(java.time.Duration.ofMillis(millis))
        settle()
    }

    fun <T : View> view(id: Int): T = activity.part(id)

    fun text(id: Int): String = view<TextView>(id).text.toString()

    fun isShown(id: Int): Boolean = view<View>(id).isShown

    fun tap(id: Int) {
        check(view<View>(id).isShown) { "What is not seen cannot be tapped." }
        view<View>(id).performClick()
        settle()
    }

    /** The text of the message on the screen; null without one. */
    val message: String? get() = text(R.id.message_title).takeIf { isShown(R.id.message) }

    fun string(id: Int, vararg arguments: Any): String = activity.getString(id, *arguments)

    internal companion object {
        private const val SETTLING_ROUNDS = 4

        /** Draws a screen with the bars of a usual phone around it. */
        fun draw(activity: Activity, width: Int, height: Int): Bitmap {
            val root = activity.window.decorView
            // On the canvas of a bitmap a TextureView is a white sheet.
            root.findViewById<View>(R.id.preview)?.alpha = 0f
            val density = activity.resources.displayMetrics.density
            val bars = Insets.of(0, (28 * density).toInt(), 0, (24 * density).toInt())
            val insets = WindowInsets.Builder().setInsets(WindowInsets.Type.systemBars(), bars).build()
            (root as ViewGroup).dispatchApplyWindowInsets(insets)
            repeat(2) {
                root.measure(
                    View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY),
                    View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY),
                )
                root.layout(0, 0, width, height)
                shadowOf(android.os.Looper.getMainLooper()).idle()
            }
            root.jumpDrawablesToCurrentState()
            val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
            root.draw(Canvas(bitmap))
            return bitmap
        }
    }
}
