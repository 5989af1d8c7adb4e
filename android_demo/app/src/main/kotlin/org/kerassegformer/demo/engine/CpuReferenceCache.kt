package org.kerassegformer.demo.engine

import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.StoredModel

/**
 * The CPU's labels of the self-check image, the reference for accelerators.
 *
 * @property nanos duration of one run, in nanoseconds
 */
internal class CpuReference(val file: ModelFile, val threads: Int, val map: LabelMap, val nanos: Long)

/** Computes [CpuReference]s and caches the last one, which all accelerators of a model share. Not thread-safe. */
internal class CpuReferenceCache(
    private val loader: ModelLoader,
    private val image: SelfCheckImage,
    private val crashLog: CrashLog,
) {
    private var last: CpuReference? = null

    /** Returns the CPU's file, or [accelerated] if the sizes of their labels differ. */
    fun fileFor(model: StoredModel, accelerated: ModelFile): ModelFile =
        model.set.fileFor(Processor.CPU)?.takeIf { it.isComparableWith(accelerated) } ?: accelerated

    /**
     * Returns the CPU's labels of the self-check image with [file].
     *
     * @throws Throwable as [ModelLoader.load] and [LoadedModel.run] do
     */
    fun of(model: StoredModel, file: ModelFile, threads: Int): CpuReference =
        last?.takeIf { it.file == file && it.threads == threads } ?: compute(model, file, threads).also { last = it }

    /** Clears the cache. */
    fun clear() {
        last = null
    }

    private fun compute(model: StoredModel, file: ModelFile, threads: Int): CpuReference =
        crashLog.logCpuAttempt(file) {
            loader.load(file, model.locationOf(file), Processor.CPU, threads).use {
                CpuReference(file, threads, it.predict(image), it.fastestRun())
            }
        }

    private fun ModelFile.isComparableWith(other: ModelFile): Boolean =
        spec.output.width == other.spec.output.width && spec.output.height == other.spec.output.height
}
