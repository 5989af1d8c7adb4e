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
    val rig = ScreenRig()

    @get:Rule
    val folder = TemporaryFolder()

    private lateinit var activity: BenchmarkActivity

    private fun await(what: String, condition: () -> Boolean) {
        val end = System.nanoTime() + 20_000_000_000
        while (!condition()) {
            check(System.nanoTime() < end) { "It did not happen: $what." }
            Thread.sleep(5)
            rig.settle()
        }
    }

    private fun text(id: Int): String = activity.part<TextView>(id).text.toString()

    private fun rows(): ViewGroup = activity.part(R.id.rows)

    private fun reports(): List<File> = activity.getExternalFilesDir(null)!!.listFiles().orEmpty().toList()

    @Test
    fun `measures every model on every processor when told to`() {
        activity = rig.startBenchmark()
        assertFalse(activity.part<View>(R.id.share_button).isShown)
        activity.part<Button>(R.id.start).performClick()
        await("a report") { rows().childCount == 3 }
        val row = rows().getChildAt(0)
        assertEquals("24.0 ms", row.part<TextView>(R.id.median).text)
        assertEquals("99.6%", row.part<TextView>(R.id.agreement).text)
        assertTrue("NNAPI" in rows().getChildAt(1).contentDescription)
        assertTrue(rows().getChildAt(1).part<View>(R.id.problem).isShown)
    }

    @Test
    fun `an intent with extras starts it, and the report lies in the file that was asked for`() {
        var seen: BenchmarkPlan? = null
        rig.parts.benchmark = FakeBenchmark { seen = it }
        val intent = Intent().putExtra("models", "b0_camvid").putExtra("processors", "gpu,cpu")
            .putExtra("runs", 50).putExtra("output", "mine.json")
        activity = rig.startBenchmark(intent)
        await("a report") { rows().childCount == 2 }
        assertEquals(listOf(Processor.GPU, Processor.CPU), seen?.processors)
        assertEquals(50, seen?.runs)
        assertEquals(listOf("mine.json"), reports().map(File::getName))
        assertEquals(2, BenchmarkReport.parse(reports().single().readText()).entries.size)
    }

    @Test
    fun `extras that make no sense are answered with what would`() {
        activity = rig.startBenchmark(Intent().putExtra("processors", "quantum"))
        assertTrue(text(R.id.status), "gpu, nnapi or cpu" in text(R.id.status))
    }

    @Test
    fun `a model that is not there is named`() {
        activity = rig.startBenchmark(Intent().putExtra("models", "nothing"))
        await("a failure") { "nothing" in text(R.id.status) }
        assertEquals(activity.getString(R.string.benchmark_start), text(R.id.start))
    }

    @Test
    fun `no model at all is told with a remedy`() {
        rig.parts.models.listing = ModelListing(emptyList(), emptyMap())
        activity = rig.startBenchmark()
        activity.part<Button>(R.id.start).performClick()
        await("a failure") { text(R.id.status) == activity.getString(R.string.benchmark_no_models) }
    }

    @Test
    fun `shows how far it is, and stops when told to`() {
        val hold = CountDownLatch(1)
        rig.parts.benchmark = FakeBenchmark { hold.await() }
        activity = rig.startBenchmark()
        activity.part<Button>(R.id.start).performClick()
        await("progress") { "17" in text(R.id.progress_text) }
        assertEquals(150, activity.part<ProgressBar>(R.id.progress).max)
        assertEquals(activity.getString(R.string.benchmark_cancel), text(R.id.start))
        activity.part<Button>(R.id.start).performClick()
        hold.countDown()
        await("the end") { text(R.id.status).startsWith(activity.getString(R.string.benchmark_cancelled)) }
    }

    @Test
    fun `a benchmark that fails says so`() {
        rig.parts.benchmark = FakeBenchmark { error("the driver is gone") }
        activity = rig.startBenchmark()
        activity.part<Button>(R.id.start).performClick()
        await("a failure") { "the driver is gone" in text(R.id.status) }
    }

    @Test
    fun `a report that cannot be written is still shown`() {
        activity = rig.startBenchmark(Intent().putExtra("output", "taken"))
        File(activity.getExternalFilesDir(null), "taken/inside").mkdirs()
        await("a report") { rows().childCount == 3 }
    }

    @Test
    fun `the report is shared and saved as JSON`() {
        activity = rig.startBenchmark()
        activity.part<Button>(R.id.start).performClick()
        await("a report") { rows().childCount == 3 }
        activity.part<View>(R.id.share_button).performClick()
        val chooser = shadowOf(activity).nextStartedActivity
        @Suppress("DEPRECATION")
        val send = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals(3, BenchmarkReport.parse(send.getStringExtra(Intent.EXTRA_TEXT)!!).entries.size)
        activity.part<View>(R.id.save).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        val file = folder.newFile()
        shadowOf(activity).receiveResult(asked.intent, -1, Intent().setData(Documents.newAt(file)))
        await("the file") { file.length() > 0 }
        assertEquals(3, BenchmarkReport.parse(file.readText()).entries.size)
    }
}
