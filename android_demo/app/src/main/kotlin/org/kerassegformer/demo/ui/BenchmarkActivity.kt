package org.kerassegformer.demo.ui

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.ProgressBar
import android.widget.TextView
import android.widget.Toast
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.core.BenchmarkEntry
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.core.Phase
import org.kerassegformer.demo.R
import org.kerassegformer.demo.benchmark.BenchmarkRequest
import org.kerassegformer.demo.benchmark.BenchmarkRequestException
import org.kerassegformer.demo.pictures.PictureGallery
import org.kerassegformer.demo.pictures.SaveException
import org.kerassegformer.demo.pictures.SaveProblem

/**
 * Benchmark screen: measures every model on every processor. Starts immediately if the intent has extras, see
 * [BenchmarkRequest].
 */
internal class BenchmarkActivity : Activity() {
    private lateinit var session: BenchmarkSession
    private lateinit var container: AppContainer
    private lateinit var scope: CoroutineScope
    private val texts by lazy { EngineTexts(resources) }
    private val start: Button by lazy { requireView(R.id.start) }
    private val status: TextView by lazy { requireView(R.id.status) }
    private val progress: ProgressBar by lazy { requireView(R.id.progress) }
    private val progressText: TextView by lazy { requireView(R.id.progress_text) }
    private val rows: ViewGroup by lazy { requireView(R.id.rows) }

    override fun onCreate(savedInstanceState: Bundle?) {
        setTheme(R.style.AppTheme)
        super.onCreate(savedInstanceState)
        Insets.drawBehindBars(window)
        setContentView(R.layout.activity_benchmark)
        container = AppContainer.factory(this)
        val retained = lastNonConfigurationInstance as BenchmarkSession?
        session = retained ?: BenchmarkSession(container, getExternalFilesDir(null))
        val root = requireView<View>(R.id.root)
        Insets.listen(root) { root.setPadding(it.left, it.top, it.right, it.bottom) }
        requireView<View>(R.id.back).setOnClickListener { finish() }
        requireView<View>(R.id.save).setOnClickListener { save() }
        requireView<View>(R.id.share_button).setOnClickListener { share() }
        start.setOnClickListener { startOrStop() }
        val isNew = retained == null && savedInstanceState == null
        scope = container.newScope()
        scope.launch { session.state.collect(::show) }
        if (isNew && BenchmarkRequest.isIn(intent)) begin()
    }

    /** A further `am start` while this screen is shown. */
    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        if (BenchmarkRequest.isIn(intent)) begin()
    }

    override fun onDestroy() {
        super.onDestroy()
        scope.cancel()
        if (!isChangingConfigurations) session.cancel()
    }

    /** Keeps the benchmark running while the activity is recreated. */
    @Deprecated("The platform API for activities without AndroidX ViewModel.")
    override fun onRetainNonConfigurationInstance(): Any = session

    @Deprecated("The platform API without AndroidX.")
    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val document = DocumentRequests.resultOf(resultCode, data).firstOrNull() ?: return
        val report = report() ?: return
        val gallery = PictureGallery(container.resolver)
        val context = applicationContext
        container.scope.launch {
            val text = try {
                withContext(container.dispatchers.files) {
                    gallery.saveDocument(document) { it.write(report.toJson().toByteArray()) }
                }
                R.string.benchmark_saved
            } catch (e: SaveException) {
                if (e.problem == SaveProblem.FULL) R.string.save_failed_space else R.string.save_failed
            }
            Toast.makeText(context, text, Toast.LENGTH_LONG).show()
        }
    }

    private fun begin() {
        val request = try {
            BenchmarkRequest.of(intent.extras)
        } catch (e: BenchmarkRequestException) {
            status.text = e.message
            return
        }
        session.start(request)
    }

    private fun startOrStop() {
        if (session.state.value is BenchmarkState.Running) session.cancel() else begin()
    }

    private fun report(): BenchmarkReport? = (session.state.value as? BenchmarkState.Done)?.report

    private fun save() {
        val name = (session.state.value as? BenchmarkState.Done)?.file?.name ?: "benchmark.json"
        DocumentRequests(this).create(DocumentRequests.SAVE_REPORT, JSON, name)
    }

    /** Shares the report as text, which needs no file provider. */
    private fun share() {
        val report = report() ?: return
        val send = Intent(Intent.ACTION_SEND)
            .setType("text/plain")
            .putExtra(Intent.EXTRA_SUBJECT, getString(R.string.benchmark_title))
            .putExtra(Intent.EXTRA_TEXT, report.toJson())
        startActivity(Intent.createChooser(send, getString(R.string.benchmark_share)))
    }

    private fun show(state: BenchmarkState) {
        val running = state is BenchmarkState.Running
        status.text = statusText(state)
        progress.visibility = visibleIf(running)
        progressText.visibility = visibleIf(running)
        status.keepScreenOn = running
        start.setText(
            when (state) {
                is BenchmarkState.Running -> R.string.benchmark_cancel
                is BenchmarkState.Done -> R.string.benchmark_again
                else -> R.string.benchmark_start
            },
        )
        (state as? BenchmarkState.Running)?.let(::showProgress)
        val report = report()
        requireView<View>(R.id.save).visibility = visibleIf(report != null)
        requireView<View>(R.id.share_button).visibility = visibleIf(report != null)
        requireView<View>(R.id.empty).visibility = visibleIf(report == null && !running)
        showRows(report)
    }

    private fun statusText(state: BenchmarkState): String = when (state) {
        BenchmarkState.Idle -> getString(R.string.benchmark_note, BenchmarkRequest.RUNS)
        is BenchmarkState.Running -> state.progress
            ?.let { getString(R.string.benchmark_running_on, it.model, texts.nameOf(it.processor)) }
            ?: getString(R.string.benchmark_preparing)
        is BenchmarkState.Done -> doneText(state)
        is BenchmarkState.Failed ->
            state.reason?.let { getString(R.string.benchmark_failed, it) } ?: getString(R.string.benchmark_no_models)
    }

    private fun doneText(state: BenchmarkState.Done): String {
        val file = state.file
        val written = if (file != null) {
            getString(R.string.benchmark_done, file.path)
        } else {
            getString(R.string.benchmark_done_unwritten, state.problem)
        }
        return if (state.cancelled) "${getString(R.string.benchmark_cancelled)}. $written" else written
    }

    private fun showProgress(state: BenchmarkState.Running) {
        val now = state.progress
        progress.isIndeterminate = now == null
        progress.max = now?.total ?: 1
        progress.progress = now?.done ?: 0
        progressText.text = now?.let { getString(R.string.benchmark_runs, it.done, it.total) }.orEmpty()
    }

    private fun showRows(report: BenchmarkReport?) {
        rows.removeAllViews()
        report?.entries.orEmpty().forEach { rows.addView(rowOf(it)) }
    }

    private fun rowOf(entry: BenchmarkEntry): View {
        val row = LayoutInflater.from(this).inflate(R.layout.benchmark_row, rows, false)
        fun fill(id: Int, text: String) = row.requireView<TextView>(id).setText(text)
        val timing = entry.timings[Phase.INFERENCE]
        val unknown = getString(R.string.benchmark_unknown)
        val median = timing?.let { getString(R.string.benchmark_millis, it.p50) } ?: unknown
        val p90 = timing?.let { getString(R.string.benchmark_millis, it.p90) } ?: unknown
        val agreement = entry.agreement?.let(texts::percent) ?: unknown
        val processor = texts.nameOf(entry.processor)
        fill(R.id.processor, processor)
        fill(R.id.model, "${entry.model} · ${entry.precision.json}")
        fill(R.id.median, median)
        fill(R.id.p90, p90)
        fill(R.id.agreement, agreement)
        fill(R.id.problem, entry.error.orEmpty())
        row.requireView<View>(R.id.problem).visibility = visibleIf(entry.error != null)
        row.requireView<View>(R.id.figures).visibility = visibleIf(timing != null)
        val error = entry.error
        row.contentDescription = if (error != null) {
            getString(R.string.benchmark_row_failed, entry.model, processor, error)
        } else {
            getString(R.string.benchmark_row, entry.model, processor, median, p90, agreement)
        }
        return row
    }

    private companion object {
        const val JSON = "application/json"
    }
}
