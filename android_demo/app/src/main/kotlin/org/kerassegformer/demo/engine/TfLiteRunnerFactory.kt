package org.kerassegformer.demo.engine

import android.content.Context
import android.content.res.AssetManager
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.ModelLocation
import org.tensorflow.lite.Delegate
import org.tensorflow.lite.gpu.GpuDelegate
import org.tensorflow.lite.gpu.GpuDelegateFactory
import org.tensorflow.lite.nnapi.NnApiDelegate
import java.io.File
import java.nio.ByteBuffer

/**
 * Creates interpreters of [CpuLibrary] for the CPU, and of TF Lite 2.16 for the others.
 *
 * @param programs cache for programs compiled by drivers, to speed up the next start; it may be emptied at any time
 */
internal class TfLiteRunnerFactory(private val assets: AssetManager, private val programs: File) :
    InferenceRunnerFactory {
    override fun create(
        file: ModelFile,
        location: ModelLocation,
        processor: Processor,
        threads: Int,
    ): InferenceRunner {
        val model = mapModel(assets, location)
        return when (processor) {
            Processor.CPU -> CpuRunner(model, file.spec, threads)
            Processor.GPU -> delegated(model, file, threads, ::gpu)
            Processor.NNAPI -> delegated(model, file, threads, ::nnapi)
        }
    }

    override fun discardPrograms(file: ModelFile) {
        programsOf(file).deleteRecursively()
    }

    private fun delegated(
        model: ByteBuffer,
        file: ModelFile,
        threads: Int,
        newDelegate: (ModelFile) -> Delegate,
    ): InferenceRunner {
        val runtime = delegateVersion()
        checkDelegateRuntime(file.spec.minimumRuntime, runtime)
        val delegate = newDelegate(file)
        return runnerOn(delegate, create = { DelegateRunner(model, file.spec, threads, delegate, runtime) }) {
            (delegate as? NnApiDelegate)?.check()
        }
    }

    private fun gpu(file: ModelFile): Delegate {
        val options = GpuDelegateFactory.Options()
            .setPrecisionLossAllowed(true)
            .setInferencePreference(GpuDelegateFactory.Options.INFERENCE_PREFERENCE_SUSTAINED_SPEED)
        newProgramsOf(file)?.let { options.setSerializationParams(it.path, file.spec.sha256) }
        return GpuDelegate(options)
    }

    private fun nnapi(file: ModelFile): Delegate {
        // Without an accelerator, NNAPI would fall back to its reference CPU, which takes seconds.
        val options = NnApiDelegate.Options()
            .setUseNnapiCpu(false)
            .setExecutionPreference(NnApiDelegate.Options.EXECUTION_PREFERENCE_SUSTAINED_SPEED)
        newProgramsOf(file)?.let { options.setCacheDir(it.path).setModelToken(file.spec.sha256) }
        return NnApiDelegate(options)
    }

    private fun NnApiDelegate.check() = check(!hasErrors()) { "NNAPI reports the error $nnapiErrno." }

    private fun programsOf(file: ModelFile) = File(programs, file.spec.sha256)

    /** Returns the cache folder, or null if it cannot be created: programs are then compiled at each start. */
    private fun newProgramsOf(file: ModelFile): File? = programsOf(file).takeIf { it.isDirectory || it.mkdirs() }

    internal companion object {
        /** Caches programs in a folder that Android empties when the app or the system is updated. */
        fun of(context: Context): TfLiteRunnerFactory =
            TfLiteRunnerFactory(context.assets, File(context.codeCacheDir, "programs"))
    }
}
