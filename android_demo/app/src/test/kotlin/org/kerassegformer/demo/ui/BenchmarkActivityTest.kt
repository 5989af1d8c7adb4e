package org.kerassegformer.demo.ui

import android.content.Intent
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.R
import org.kerassegformer.demo.benchmark.BenchmarkPlan
import org.kerassegformer.demo.engine.PATIENCE_SECONDS
import org.kerassegformer.demo.models.ModelListing
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File
import java.util.concurrent.CountDownLatch

@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = PHONE)
internal class BenchmarkActivityTest {
    @get:Rule
    val screen = ScreenRobot()

    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var activity: BenchmarkActivity

    private fun await(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000
        while (!condition()) {
            check(System.nanoTime() < end) { "Timed out waiting for $what." }
            Thread.sleep(5)
            screen.waitForIdle()
        }
    }

    private fun text(id: Int): String = activity.requireView<TextView>(id).text.toString()

    private fun rows(): ViewGroup = activity.requireView(R.id.rows)

    private fun reports(): List<File> = activity.getExternalFilesDir(null)!!.listFiles().orEmpty().toList()

    @Test
    fun `measures every model on every processor`() {
        activity = screen.startBenchmark()
        assertFalse(activity.requireView<View>(R.id.share_button).isShown)
        activity.requireView<Button>(R.id.start).performClick()
        await("a report") { rows().childCount == 3 }
        val row = rows().getChildAt(0)
        assertEquals("24.0 ms", row.requireView<TextView>(R.id.median).text)
        assertEquals("99.6%", row.requireView<TextView>(R.id.agreement).text)
        assertTrue("NNAPI" in rows().getChildAt(1).contentDescription)
        assertTrue(rows().getChildAt(1).requireView<View>(R.id.problem).isShown)
    }

    @Test
    fun `an intent with extras starts it and names the report file`() {
        var seen: BenchmarkPlan? = null
        screen.container.benchmark = FakeBenchmark { seen = it }
        val intent = Intent().putExtra("models", "b0_camvid").putExtra("processors", "gpu,cpu")
            .putExtra("runs", 50).putExtra("output", "mine.json")
        activity = screen.startBenchmark(intent)
        await("a report") { rows().childCount == 2 }
        assertEquals(listOf(Processor.GPU, Processor.CPU), seen?.processors)
        assertEquals(50, seen?.runs)
        assertEquals(listOf("mine.json"), reports().map(File::getName))
        assertEquals(2, BenchmarkReport.parse(reports().single().readText()).entries.size)
    }

    @Test
    fun `a further intent replaces the benchmark that is running`() {
        val hold = CountDownLatch(1)
        val plans = ArrayList<BenchmarkPlan>()
        screen.container.benchmark = FakeBenchmark { plans += it; if (plans.size == 1) hold.await() }
        val controller = screen.startBenchmarks(Intent().putExtra("processors", "cpu"))
        activity = controller.get()
        await("progress") { "17" in text(R.id.progress_text) }
        controller.newIntent(Intent().putExtra("processors", "gpu").putExtra("output", "second.json"))
        hold.countDown()
        await("the second report") { reports().any { it.name == "second.json" } }
        assertEquals(listOf(listOf(Processor.CPU), listOf(Processor.GPU)), plans.map { it.processors })
        controller.newIntent(Intent().putExtra("processors", "nnapi").putExtra("output", "third.json"))
        await("the third report") { reports().any { it.name == "third.json" } }
    }

    @Test
    fun `invalid extras are answered with the valid values`() {
        activity = screen.startBenchmark(Intent().putExtra("processors", "quantum"))
        assertTrue(text(R.id.status), "gpu, nnapi or cpu" in text(R.id.status))
    }

    @Test
    fun `a missing model is named`() {
        activity = screen.startBenchmark(Intent().putExtra("models", "nothing"))
        await("a failure") { "nothing" in text(R.id.status) }
        assertEquals(activity.getString(R.string.benchmark_start), text(R.id.start))
    }

    @Test
    fun `without models it says how to import one`() {
        screen.container.models.listing = ModelListing(emptyList(), emptyMap())
        activity = screen.startBenchmark()
        activity.requireView<Button>(R.id.start).performClick()
        await("a failure") { text(R.id.status) == activity.getString(R.string.benchmark_no_models) }
    }

    @Test
    fun `shows the progress and can be stopped`() {
        val hold = CountDownLatch(1)
        screen.container.benchmark = FakeBenchmark { hold.await() }
        activity = screen.startBenchmark()
        activity.requireView<Button>(R.id.start).performClick()
        await("progress") { "17" in text(R.id.progress_text) }
        assertEquals(150, activity.requireView<ProgressBar>(R.id.progress).max)
        assertEquals(activity.getString(R.string.benchmark_cancel), text(R.id.start))
        activity.requireView<Button>(R.id.start).performClick()
        hold.countDown()
        await("the end") { text(R.id.status).startsWith(activity.getString(R.string.benchmark_cancelled)) }
    }

    @Test
    fun `a failed benchmark is reported`() {
        screen.container.benchmark = FakeBenchmark { error("the driver is gone") }
        activity = screen.startBenchmark()
        activity.requireView<Button>(R.id.start).performClick()
        await("a failure") { "the driver is gone" in text(R.id.status) }
    }

    @Test
    fun `a report that cannot be written is still shown`() {
        activity = screen.startBenchmark(Intent().putExtra("output", "taken"))
        File(activity.getExternalFilesDir(null), "taken/inside").mkdirs()
        await("a report") { rows().childCount == 3 }
    }

    @Test
    fun `the report is shared and saved as JSON`() {
        activity = screen.startBenchmark()
        activity.requireView<Button>(R.id.start).performClick()
        await("a report") { rows().childCount == 3 }
        activity.requireView<View>(R.id.share_button).performClick()
        val chooser = shadowOf(activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val send = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(3, BenchmarkReport.parse(send.getStringExtra(Intent.EXTRA_TEXT)!!).entries.size)
        activity.requireView<View>(R.id.save).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val file = folder.newFile()
        shadowOf(activity).receiveResult(asked.intent, -1, Intent().setData(FakeDocuments.newAt(file)))
        await("the file") { file.length() > 0 }
        assertEquals(3, BenchmarkReport.parse(file.readText()).entries.size)
    }
}
