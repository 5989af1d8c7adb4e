package org.kerassegformer.demo.ui

import android.content.Context
import org.kerassegformer.demo.ModelParts
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.Camera2Source
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.models.ModelStore
import java.util.concurrent.Executor
import java.util.concurrent.Executors

/** The parts of the app on a device. */
internal class DeviceParts private constructor(private val context: Context) : AppParts {
    private val parts = ModelParts(context)

    override val settings = SettingsStore(context.getSharedPreferences("settings", Context.MODE_PRIVATE))

    override val models: ModelStore = parts.newModelStore()

    override val files: Executor = Executors.newSingleThreadExecutor { Thread(it, "files") }

    override fun newCamera(): CameraSource = Camera2Source(context)

    override fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine = parts.newEngine(listener)

    override fun newBenchmark(): BenchmarkRunner = parts.newBenchmark()

    internal companion object {
        private var parts: DeviceParts? = null

        /** Those of this process. */
        @Synchronized
        fun of(context: Context): DeviceParts = parts ?: DeviceParts(context.applicationContext).also { parts = it }
    }
}
