package org.kerassegformer.demo

import android.content.Context
import android.os.Build
import android.os.Process
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.DelegatePolicy
import org.kerassegformer.core.PassedChecks
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ReferenceStore
import org.kerassegformer.demo.benchmark.BenchmarkRunner
import org.kerassegformer.demo.benchmark.ModelBenchmark
import org.kerassegformer.demo.benchmark.currentDevice
import org.kerassegformer.demo.engine.BundledSelfCheckImage
import org.kerassegformer.demo.engine.LiveEngine
import org.kerassegformer.demo.engine.ModelLoader
import org.kerassegformer.demo.engine.ProcessorTrial
import org.kerassegformer.demo.engine.SegmentationEngine
import org.kerassegformer.demo.engine.SystemThermalMonitor
import org.kerassegformer.demo.engine.exitCauseOf
import org.kerassegformer.demo.engine.gpuDriver
import org.kerassegformer.demo.engine.isLiteRtPacked
import org.kerassegformer.demo.engine.runnerFactory
import org.kerassegformer.demo.engine.tfLiteVersion
import org.kerassegformer.demo.engine.unsupportedProcessors
import org.kerassegformer.demo.models.AssetModels
import org.kerassegformer.demo.models.FileModelStore
import org.kerassegformer.demo.models.ImportFolder
import org.kerassegformer.demo.models.LoadProbe
import org.kerassegformer.demo.models.ModelImporter
import org.kerassegformer.demo.models.ModelStore
import java.io.File

/** Creates the engine, the model store and the benchmark with TF Lite and the app's files. One per process. */
internal class InferenceContainer(private val context: Context) {
    private val loader = ModelLoader(runnerFactory(context))
    private val installation by lazy { installationOf(context) }
    private val gpuDriver by lazy(::gpuDriver)
    private val crashLog = CrashLog(place("crash_log.json"), ::installation, Process.myPid())
    private val references = ReferenceStore(place("self_check"), ::installation)
    private val passes = PassedChecks(place("passed_checks.json"), ::installation, Process.myPid(), ::driverOf)

    private val policy =
        DelegatePolicy(Build.VERSION.SDK_INT, unsupportedProcessors(context), hasNpuRuntime = isLiteRtPacked)

    /** The processors that this build of the app can never use on this phone. */
    val unusable: Set<Processor> get() = policy.unusable
    private val thermalMonitor = SystemThermalMonitor(context)
    private val image = BundledSelfCheckImage(context.assets)

    /** Loads the native library, which takes a while: not on the main thread. */
    private val runtime by lazy(::tfLiteVersion)

    /** Creates an engine that reports to [listener]. */
    fun newEngine(listener: SegmentationEngine.Listener): SegmentationEngine =
        LiveEngine(newTrial(), policy, crashLog, thermalMonitor, listener)

    /** Creates a store of the bundled and the imported models. Reads files. */
    fun newModelStore(): ModelStore {
        val folder = ImportFolder(File(context.filesDir, "models"))
        val probe = LoadProbe { file, location -> loader.load(file, location, Processor.CPU, threads = 1).close() }
        return FileModelStore(AssetModels(context.assets), folder, ModelImporter(folder, probe, ::runtime), ::runtime)
    }

    /** Creates a benchmark. */
    fun newBenchmark(): BenchmarkRunner =
        ModelBenchmark(newTrial(), policy, crashLog, image, thermalMonitor, currentDevice(context, runtime))

    private fun newTrial() = ProcessorTrial(loader, image, crashLog, references, passes) { exitCauseOf(context, it) }

    private fun place(name: String) = File(context.noBackupFilesDir, name)

    /** The driver of an NPU is part of the system or of the app, which [installation] identifies. */
    private fun driverOf(processor: Processor): String = if (processor == Processor.GPU) gpuDriver else ""

    private companion object {
        /** Identifies the system with its drivers, and the app with its libraries: an update of either may change them. */
        fun installationOf(context: Context): String {
            val installed = context.packageManager.getPackageInfo(context.packageName, 0)
            return "${Build.FINGERPRINT} ${installed.versionName} ${installed.lastUpdateTime}"
        }
    }
}
