package org.kerassegformer.demo.ui

import android.os.Handler
import android.os.Looper
import android.util.Log
import org.kerassegformer.core.BenchmarkReport
import org.kerassegformer.demo.benchmark.BenchmarkProgress
import org.kerassegformer.demo.benchmark.BenchmarkRequest
import org.kerassegformer.demo.benchmark.BenchmarkRequestException
import java.io.File
import java.io.IOException
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter
import kotlin.concurrent.thread

/** How far a benchmark is. */
internal sealed interface BenchmarkState {
    data object Idle : BenchmarkState

    /** @property progress null until the first measurement */
    data class Running(val progress: BenchmarkProgress?) : BenchmarkState

    /**
     * @property file where the report was written; null where that failed, because of [problem]
     * @property cancelled whether it was stopped before its end
     */
    data class Done(
        val report: BenchmarkReport,
        val file: File?,
        val problem: String?,
        val cancelled: Boolean,
    ) : BenchmarkState

    /** @property why null where there is no model at all */
    data class Failed(val why: String?) : BenchmarkState
}

/**
 * A benchmark that goes on while its screen is turned. Its report is written to a file and to the log, so that one that
 * was started from a computer can be read there.
 *
 * @param folder where reports are written; null where the storage is not there
 */
internal class BenchmarkSession(private val parts: AppParts, private val folder: File?) {
    var state: BenchmarkState = BenchmarkState.Idle
        private set(value) {
            field = value
            onState()
        }

    /** Called on the main thread when [state] has changed. */
    var onState: () -> Unit = {}

    private val main = Handler(Looper.getMainLooper())

    @Volatile
    private var cancelled = false

    /** Starts measuring what is asked for; nothing happens while it runs. */
    fun start(request: BenchmarkRequest) {
        if (state is BenchmarkState.Running) return
        cancelled = false
        state = BenchmarkState.Running(null)
        thread(name = "benchmark") {
            val end = measure(request)
            main.post { state = end }
        }
    }

    /** Stops after the run at hand; what was measured is kept. */
    fun cancel() {
        cancelled = true
    }

    private fun measure(request: BenchmarkRequest): BenchmarkState = try {
        val plan = request.planFor(parts.models.list().models)
        if (plan.models.isEmpty()) {
            BenchmarkState.Failed(null)
        } else {
            val report = parts.newBenchmark().run(plan, ::tell) { cancelled }
            Log.i(TAG, report.toText())
            write(report, request.output)
        }
    } catch (e: BenchmarkRequestException) {
        Log.e(TAG, e.message, e)
        BenchmarkState.Failed(e.message)
    } catch (e: Exception) {
        // Of a driver or a file; the screen says so instead of ending.
        Log.e(TAG, "The benchmark has failed.", e)
        BenchmarkState.Failed(e.message ?: e.javaClass.simpleName)
    } catch (e: OutOfMemoryError) {
        Log.e(TAG, "The benchmark has failed.", e)
        BenchmarkState.Failed(e.message)
    }

    private fun tell(progress: BenchmarkProgress) {
        main.post { if (state is BenchmarkState.Running) state = BenchmarkState.Running(progress) }
    }

    private fun write(report: BenchmarkReport, name: String?): BenchmarkState.Done {
        val folder = folder ?: return BenchmarkState.Done(report, null, "no storage", cancelled)
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
