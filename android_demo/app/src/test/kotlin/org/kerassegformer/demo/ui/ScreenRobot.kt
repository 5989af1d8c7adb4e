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

/** Robot for the screens of the app, which run with the fakes of [container]. */
internal class ScreenRobot : ExternalResource() {
    val context: Context get() = RuntimeEnvironment.getApplication()
    val container: FakeAppContainer by lazy { FakeAppContainer(context) }
    private val controllers = ArrayList<ActivityController<out Activity>>()
    lateinit var controller: ActivityController<MainActivity>
        private set

    val activity: MainActivity get() = controller.get()

    override fun before() {
        AppContainer.factory = { container }
    }

    override fun after() {
        controllers.forEach { runCatching { it.close() } }
        AppContainer.factory = { DefaultAppContainer.of(it) }
    }

    fun allowCamera(): Unit = shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA)

    /** Starts the live screen, with or without the camera permission. */
    fun start(allowed: Boolean = true, intent: Intent = Intent(Intent.ACTION_MAIN)): MainActivity {
        if (allowed) allowCamera()
        controller = Robolectric.buildActivity(MainActivity::class.java, intent).setup().visible()
        controllers += controller
        waitForIdle()
        return activity
    }

    /** Starts the benchmark screen. */
    fun startBenchmark(intent: Intent = Intent()): BenchmarkActivity = startBenchmarks(intent).get()

    /** Starts the benchmark screen, which further intents can be sent to. */
    fun startBenchmarks(intent: Intent): ActivityController<BenchmarkActivity> {
        val controller = Robolectric.buildActivity(BenchmarkActivity::class.java, intent).setup().visible()
        controllers += controller
        waitForIdle()
        return controller
    }

    /** Starts the licences. */
    fun startLicences(): LicencesActivity {
        val controller = Robolectric.buildActivity(LicencesActivity::class.java).setup().visible()
        controllers += controller
        waitForIdle()
        return controller.get()
    }

    /** Recreates the activity, like rotating the device. */
    fun recreate() {
        controller.recreate()
        waitForIdle()
    }

    /** Simulates process death and restores the screen from its saved state. */
    fun restoreFromSavedState() {
        val saved = android.os.Bundle()
        controller.saveInstanceState(saved).pause().stop().destroy()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup(saved).visible()
        controllers += controller
        waitForIdle()
    }

    /** Delivers a camera frame and waits until it is processed. */
    fun showStreet(): FakeYuvImage {
        val frame = StreetScene.frame()
        container.camera.give(frame)
        waitForIdle()
        return frame
    }

    /** Opens an image, like the document picker. */
    fun choose(file: File) {
        choose(DocumentRequests.PICTURE, FakeDocuments.of(file))
    }

    /** Delivers the result of a document picker. */
    fun choose(request: Int, vararg documents: Uri) {
        val data = Intent()
        if (documents.size == 1) data.data = documents[0]
        if (documents.size > 1) {
            data.clipData = android.content.ClipData.newRawUri("", documents[0])
            documents.drop(1).forEach { data.clipData!!.addItem(android.content.ClipData.Item(it)) }
        }
        @Suppress("DEPRECATION")
        shadowOf(activity).callOnActivityResult(request, Activity.RESULT_OK, data)
        waitForIdle()
    }

    /** Runs the pending tasks of all loopers. */
    fun waitForIdle() {
        repeat(IDLE_ROUNDS) {
            ShadowLooper.getAllLoopers().filter { it.thread.isAlive }.forEach { shadowOf(it).idle() }
        }
    }

    /** Advances the clock. */
    fun advance(millis: Long) {
        shadowOf(android.os.Looper.getMainLooper()).idleFor(java.time.Duration.ofMillis(millis))
        waitForIdle()
    }

    fun <T : View> view(id: Int): T = activity.requireView(id)

    fun text(id: Int): String = view<TextView>(id).text.toString()

    fun isShown(id: Int): Boolean = view<View>(id).isShown

    fun tap(id: Int) {
        check(view<View>(id).isShown) { "The view is not visible." }
        view<View>(id).performClick()
        waitForIdle()
    }

    /** The displayed message, or null. */
    val message: String? get() = text(R.id.message_title).takeIf { isShown(R.id.message) }

    fun string(id: Int, vararg arguments: Any): String = activity.getString(id, *arguments)

    internal companion object {
        private const val IDLE_ROUNDS = 4

        /** Renders a screen with typical system bars. */
        fun draw(activity: Activity, width: Int, height: Int): Bitmap {
            val root = activity.window.decorView
            // A TextureView is white on the canvas of a bitmap.
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
