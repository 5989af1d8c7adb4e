package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.content.Context
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.models.ModelStore
import java.util.concurrent.Executor

/** Dependencies of the screens; tests replace them. */
internal interface AppContainer {
    /** The resolver of the application: that of an activity would keep the activity in memory. */
    val resolver: ContentResolver
    val settings: SettingsStore
    val models: ModelStore

    /** Sequential executor for file access. */
    val files: Executor

    fun newCamera(): CameraSource

    fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine

    fun newBenchmark(): BenchmarkRunner

    companion object {
        /** Provides the container of the process; a test sets it before it starts a screen. */
        var factory: (Context) -> AppContainer = { DefaultAppContainer.of(it) }
    }
}
