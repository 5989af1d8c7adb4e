package org.kerassegformer.demo.ui

import android.content.ContentResolver
import android.content.Context
import android.os.Handler
import android.os.Looper
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.android.asCoroutineDispatcher
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.InferenceContainer
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.camera.Camera2Source
import org.kerassegformer.demo.camera.CameraSource
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.models.ModelStore
import org.kerassegformer.demo.pictures.PlatformVideo
import org.kerassegformer.demo.pictures.VideoRecordings
import java.io.File

/**
 * Where coroutines run; tests replace them.
 *
 * @property main the main thread, at once for what runs there already
 * @property files file access, one task after another
 * @property encoding videos, one task after another
 * @property painting labels, one image after another
 * @property compute everything else that takes long
 */
internal class AppDispatchers(
    val main: CoroutineDispatcher = mainDispatcher(),
    val files: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(1),
    val encoding: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(1),
    val painting: CoroutineDispatcher = Dispatchers.Default.limitedParallelism(1),
    val compute: CoroutineDispatcher = Dispatchers.Default,
)

/** Dependencies of the screens; tests replace them. */
internal interface AppContainer {
    /** The resolver of the application: that of an activity would keep the activity in memory. */
    val resolver: ContentResolver
    val settings: SettingsStore
    val models: ModelStore

    val dispatchers: AppDispatchers

    /** Processors that this build of the app can never use on this phone. */
    val unsupported: Set<Processor>

    /** For work that is completed although its screen is closed meanwhile, on the main thread: saving, importing. */
    val scope: CoroutineScope

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

/** `Dispatchers.Main.immediate`, without the services by which that is found: R8 would have to keep them. */
private fun mainDispatcher(): CoroutineDispatcher = Handler(Looper.getMainLooper()).asCoroutineDispatcher("main").immediate

/** Makes a scope on the main thread, for one screen. */
internal fun AppContainer.newScope(): CoroutineScope = CoroutineScope(SupervisorJob() + dispatchers.main)

/** The dependencies of the app on a device. */
internal class DefaultAppContainer private constructor(private val context: Context) : AppContainer {
    private val inference = InferenceContainer(context)

    override val resolver: ContentResolver = context.contentResolver

    override val settings = SettingsStore(context.getSharedPreferences("settings", Context.MODE_PRIVATE))

    override val models: ModelStore = inference.newModelStore()

    override val dispatchers = AppDispatchers()

    override val unsupported: Set<Processor> get() = inference.unusable

    override val scope = newScope()

    override val videoFolder: File get() = context.cacheDir

    override val recordings: VideoRecordings = PlatformVideo

    override fun newCamera(): CameraSource = Camera2Source(context, dispatchers.main)

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
