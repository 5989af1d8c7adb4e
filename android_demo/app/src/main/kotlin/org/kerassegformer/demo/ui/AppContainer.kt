package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.content.Context
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.Camera2Source
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.models.ModelStore
import org.kerassegformer.demo.pictures.PlatformVideo
import org.kerassegformer.demo.pictures.VideoRecordings
import java.io.File
import java.util.concurrent.Executor
import java.util.concurrent.Executors

/** Dependencies of the screens; tests replace them. */
internal interface AppContainer {
    /** The resolver of the application: that of an activity would keep the activity in memory. */
    val resolver: ContentResolver
    val settings: SettingsStore
    val models: ModelStore

    /** Sequential executor for file access. */
    val files: Executor

    /** Sequential executor for encoding videos. */
    val encoding: Executor

    /** Folder for videos that are not complete. */
    val videoFolder: File

    val recordings: VideoRecordings

    fun newCamera(): CameraSource

    fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine

    fun newBenchmark(): BenchmarkRunner

    companion object {
        /** Provides the container of the process; a test sets it before it starts a screen. */
        var factory: (Context) -> AppContainer = { DefaultAppContainer.of(it) }
    }
}

/** The dependencies of the app on a device. */
internal class DefaultAppContainer private constructor(private val context: Context) : AppContainer {
    private val inference = InferenceContainer(context)

    override val resolver: ContentResolver = context.contentResolver

    override val settings = SettingsStore(context.getSharedPreferences("settings", Context.MODE_PRIVATE))

    override val models: ModelStore = inference.newModelStore()

    override val files: Executor = Executors.newSingleThreadExecutor { Thread(it, "files") }

    override val encoding: Executor = Executors.newSingleThreadExecutor { Thread(it, "encoding") }

    override val videoFolder: File get() = context.cacheDir

    override val recordings: VideoRecordings = PlatformVideo

    override fun newCamera(): CameraSource = Camera2Source(context)

    override fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine = inference.newEngine(listener)

    override fun newBenchmark(): BenchmarkRunner = inference.newBenchmark()

    internal companion object {
        private var instance: DefaultAppContainer? = null

        /** Returns the instance of this process. */
        @Synchronized
        fun of(context: Context): DefaultAppContainer =
            instance ?: DefaultAppContainer(context.applicationContext).also { instance = it }
    }
}
