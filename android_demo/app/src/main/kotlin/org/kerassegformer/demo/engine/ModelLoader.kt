package org.kerassegformer.demo.engine

import android.content.res.AssetManager
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel

/**
 * Timeouts for drivers.
 *
 * @property loadMillis for creating an interpreter and its delegate, including compilation for GPUs
 * @property runMillis for one inference
 */
internal data class TimeLimits(val loadMillis: Long = 60_000, val runMillis: Long = RUN_MILLIS) {
    internal companion object {
        const val RUN_MILLIS = 20_000L
    }
}

/**
 * Loads models, each on its own thread.
 *
 * @param clock time in nanoseconds, for the duration of runs; read on the thread of the model
 */
internal class ModelLoader(
    private val runners: InferenceRunnerFactory,
    private val limits: TimeLimits = TimeLimits(),
    private val clock: () -> Long = System::nanoTime,
) {
    /**
     * Loads [file].
     *
     * @param threads number of CPU threads
     * @throws CallTimeoutException it took longer than the limit; the model is closed if loading ever completes
     * @throws Throwable any exception of the runtime
     */
    suspend fun load(file: ModelFile, location: ModelLocation, processor: Processor, threads: Int): LoadedModel {
        val thread = WorkerThread("inference on $processor")
        var runner: InferenceRunner? = null
        try {
            runner = thread.call(limits.loadMillis, onLate = InferenceRunner::close) {
                runners.create(file, location, processor, threads)
            }
            return LoadedModel(file, runner, thread, limits, clock)
        } catch (failure: Throwable) {
            thread.end { runner?.close() }
            throw failure
        }
    }

    /** See [InferenceRunnerFactory.discardPrograms]. */
    fun discardPrograms(file: ModelFile) = runners.discardPrograms(file)
}

/**
 * Memory-maps a `.tflite` file. Assets must be stored uncompressed in the APK.
 *
 * @throws java.io.IOException the file is missing or cannot be mapped
 */
internal fun mapModel(assets: AssetManager, location: ModelLocation): ByteBuffer = when (location) {
    is ModelLocation.Asset -> assets.openFd(location.path).use { asset ->
        FileInputStream(asset.fileDescriptor).use {
            it.channel.map(FileChannel.MapMode.READ_ONLY, asset.startOffset, asset.declaredLength)
        }
    }
    is ModelLocation.OnDisk -> FileInputStream(location.file).use {
        it.channel.map(FileChannel.MapMode.READ_ONLY, 0, it.channel.size())
    }
}
