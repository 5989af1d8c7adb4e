package org.kerassegformer.demo.ui

import android.content.Context
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.models.ModelStore
import java.util.concurrent.Executor

/** What the screens are made of. Tests put others in their place. */
internal interface AppParts {
    val settings: SettingsStore
    val models: ModelStore

    /** For work with files; one piece after another. */
    val files: Executor

    fun newCamera(): CameraSource

    fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine

    fun newBenchmark(): BenchmarkRunner

    companion object {
        /** Makes the parts for a process; a test sets it before it starts a screen. */
        var factory: (Context) -> AppParts = { DeviceParts.of(it) }
    }
}
