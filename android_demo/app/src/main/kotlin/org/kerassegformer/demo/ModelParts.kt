package org.kerassegformer.demo

import android.content.Context
import android.os.Build
import org.kerassegformer.core.AttemptMemory
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.benchmark.ModelBenchmark
import org.kerassegformer.demo.benchmark.deviceInfo
import org.kerassegformer.demo.engine.BundledCheckPicture
import org.kerassegformer.demo.engine.LiveEngine
import org.kerassegformer.demo.engine.ModelLoader
import org.kerassegformer.demo.engine.ProcessorTrial
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SystemHeatSource
import org.kerassegformer.demo.engine.TfLiteRunnerFactory
import org.kerassegformer.demo.engine.TryNotes
import org.kerassegformer.demo.engine.lastExitWasInnocent
import org.kerassegformer.demo.models.AssetModels
import org.kerassegformer.demo.models.FileModelStore
import org.kerassegformer.demo.models.ImportFolder
import org.kerassegformer.demo.models.LoadProbe
import org.kerassegformer.demo.models.ModelImporter
import org.kerassegformer.demo.models.ModelStore
import java.io.File

/** The app's engine, models and benchmark, over TF Lite and the files of the app. Made once in a process. */
internal class ModelParts(context: Context) {
    private val loader = ModelLoader(TfLiteRunnerFactory.of(context))
    private val notes = TryNotes(
        AttemptMemory(File(context.noBackupFilesDir, "attempts.json"), installation(context)),
        File(context.noBackupFilesDir, "attempt"),
    ).also { it.judgeLast { lastExitWasInnocent(context) } }
    private val policy = DelegatePolicy(Build.VERSION.SDK_INT)
    private val heat = SystemHeatSource(context)
    private val picture = BundledCheckPicture(context.assets)
    private val device = deviceInfo(context)
    private val imports = File(context.filesDir, "models")
    private val assets = context.assets

    /** A new engine; [listener] hears of it. */
    fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine =
        LiveEngine(newTrial(), policy, notes, heat, listener)

    /** The models of the app and of the user. Reads files. */
    fun newModelStore(): ModelStore {
        val folder = ImportFolder(imports)
        val probe = LoadProbe { file, location -> loader.load(file, location, Processor.CPU, threads = 1).close() }
        return FileModelStore(AssetModels(assets), folder, ModelImporter(folder, probe))
    }

    /** A new benchmark. */
    fun newBenchmark(): BenchmarkRunner = ModelBenchmark(newTrial(), policy, notes, picture, heat, device)

    private fun newTrial() = ProcessorTrial(loader, picture, notes)

    private companion object {
        /** What notes hold for: an update of the app or of the system may bring a better driver. */
        fun installation(context: Context): String {
            val installed = context.packageManager.getPackageInfo(context.packageName, 0)
            return "${Build.FINGERPRINT} ${installed.versionName} ${installed.lastUpdateTime}"
        }
    }
}
