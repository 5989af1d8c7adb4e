package org.kerassegformer.demo.ui

import android.util.Log
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.demo.benchmark.BenchmarkProgress
import org.kerassegformer.demo.benchmark.BenchmarkRequest
import org.kerassegformer.demo.benchmark.BenchmarkRequestException
import java.io.File
import java.io.IOException
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter
import java.util.concurrent.atomic.AtomicBoolean

/** State of a benchmark. */
internal sealed interface BenchmarkState {
    data object Idle : BenchmarkState

    /** @property progress null before the first measurement */
    data class Running(val progress: BenchmarkProgress?) : BenchmarkState

    /**
     * @property file the report; null if it could not be written, because of [problem]
     * @property cancelled true if the user stopped it
     */
    data class Done(
        val report: BenchmarkReport,
        val file: File?,
        val problem: String?,
        val cancelled: Boolean,
    ) : BenchmarkState

    /** @property reason null if there are no models */
    data class Failed(val reason: String?) : BenchmarkState
}

/**
 * A benchmark that survives configuration changes. Its report is written to a file and to logcat, so that a benchmark
 * started with adb can be read there.
 *
 * @param folder folder for reports; null if the storage is unavailable
 */
internal class BenchmarkSession(private val container: AppContainer, private val folder: File?) {
    private val current = MutableStateFlow<BenchmarkState>(BenchmarkState.Idle)
    val state: StateFlow<BenchmarkState> = current.asStateFlow()

    /** Stops the latest benchmark. Cancelling its coroutine would lose the measurements. */
    private var cancelled = AtomicBoolean()
    private var next: BenchmarkRequest? = null

    /** Starts a benchmark. One that is running is stopped first. */
    fun start(request: BenchmarkRequest) {
        if (state.value is BenchmarkState.Running) {
            cancelled.set(true)
            next = request
            return
        }
        val stop = AtomicBoolean().also { cancelled = it }
        current.value = BenchmarkState.Running(null)
        // Its report is written although the screen is closed meanwhile.
        container.scope.launch {
            current.value = withContext(container.dispatchers.compute) { measure(request, stop) }
            next?.also { next = null }?.let(::start)
        }
    }

    /** Stops after the current run and keeps the completed measurements. */
    fun cancel() {
        next = null
        cancelled.set(true)
    }

    private suspend fun measure(request: BenchmarkRequest, stop: AtomicBoolean): BenchmarkState = try {
        val models = withContext(container.dispatchers.files) { container.models.list().models }
        val plan = request.planFor(models)
        if (plan.models.isEmpty()) {
            BenchmarkState.Failed(null)
        } else {
            val report = container.newBenchmark().run(plan, ::onProgress, stop::get)
            Log.i(TAG, report.toText())
            withContext(container.dispatchers.files) { write(report, request.output, stop.get()) }
        }
    } catch (e: BenchmarkRequestException) {
        Log.e(TAG, e.message, e)
        BenchmarkState.Failed(e.message)
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        // A driver or a file failed; the screen shows the error.
        Log.e(TAG, "The benchmark failed.", e)
        BenchmarkState.Failed(e.message ?: e.javaClass.simpleName)
    } catch (e: OutOfMemoryError) {
        Log.e(TAG, "The benchmark failed.", e)
        BenchmarkState.Failed(e.message)
    }

    private fun onProgress(progress: BenchmarkProgress) {
        current.update { if (it is BenchmarkState.Running) BenchmarkState.Running(progress) else it }
    }

    private fun write(report: BenchmarkReport, name: String?, cancelled: Boolean): BenchmarkState.Done {
        val folder = folder ?: return BenchmarkState.Done(report, null, "the storage is unavailable", cancelled)
        return try {
            val file = File(folder, name ?: "benchmark_${LocalDateTime.now().format(STAMP)}.json")
            writeWhole(file, report.toJson())
            Log.i(TAG, "Written to $file")
            BenchmarkState.Done(report, file, null, cancelled)
        } catch (e: IOException) {
            Log.e(TAG, "The report could not be written.", e)
            BenchmarkState.Done(report, null, e.message.orEmpty(), cancelled)
        }
    }

    private fun writeWhole(file: File, text: String) {
        val unfinished = File(file.path + ".part")
        try {
            unfinished.writeText(text)
            if (!unfinished.renameTo(file)) throw IOException("$unfinished cannot be renamed.")
        } finally {
            unfinished.delete()
        }
    }

    private companion object {
        const val TAG = "Benchmark"
        val STAMP: DateTimeFormatter = DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss")
    }
}
