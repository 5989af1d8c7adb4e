package org.kerassegformer.demo.engine

import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import org.kerassegformer.core.CrashLog
import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.core.ReferenceStore
import org.kerassegformer.core.StoredReference
import org.kerassegformer.demo.models.StoredModel

/**
 * The CPU's labels of the self-check image, the reference for accelerators.
 *
 * @property nanos duration of one run, in nanoseconds
 */
internal class CpuReference(val file: ModelFile, val threads: Int, val map: LabelMap, val nanos: Long)

/**
 * Computes [CpuReference]s. Caches the last one, which all accelerators of a model share, and keeps them on disk for
 * the next start. One coroutine computes at a time; the others wait for it.
 */
internal class CpuReferenceCache(
    private val loader: ModelLoader,
    private val image: SelfCheckImage,
    private val crashLog: CrashLog,
    private val store: ReferenceStore,
) {
    private val mutex = Mutex()
    private var last: CpuReference? = null

    /** Returns the CPU's file, or [accelerated] if the sizes of their labels differ. */
    fun fileFor(model: StoredModel, accelerated: ModelFile): ModelFile =
        model.set.fileFor(Processor.CPU)?.takeIf { it.isComparableWith(accelerated) } ?: accelerated

    /**
     * Returns the CPU's labels of the self-check image with [file].
     *
     * @throws Throwable as [ModelLoader.load] and [LoadedModel.run] do
     */
    suspend fun of(model: StoredModel, file: ModelFile, threads: Int): CpuReference = of(file, threads) {
        crashLog.logCpuAttempt(file) {
            loader.load(file, model.locationOf(file), Processor.CPU, threads).use { computed(it, threads) }
        }
    }

    /** Keeps [labels], which [loaded] has just computed of the self-check image, unless they are known. */
    suspend fun offer(loaded: LoadedModel, threads: Int, labels: LabelMap) {
        of(loaded.file, threads) { CpuReference(loaded.file, threads, labels, loaded.fastestRun()) }
    }

    /** Clears the cache in memory. */
    suspend fun clear() = mutex.withLock { last = null }

    private suspend inline fun of(file: ModelFile, threads: Int, compute: () -> CpuReference): CpuReference =
        mutex.withLock { last?.takeIf { it.file == file && it.threads == threads } ?: read(file, threads, compute) }

    private inline fun read(file: ModelFile, threads: Int, compute: () -> CpuReference): CpuReference {
        val stored = store.read(file, threads)?.let { CpuReference(file, threads, it.map, it.nanos) }
        val reference = stored ?: compute().also { store.write(file, threads, StoredReference(it.map, it.nanos)) }
        return reference.also { last = it }
    }

    private suspend fun computed(loaded: LoadedModel, threads: Int) =
        CpuReference(loaded.file, threads, loaded.predict(image), loaded.fastestRun())

    private fun ModelFile.isComparableWith(other: ModelFile): Boolean =
        spec.output.width == other.spec.output.width && spec.output.height == other.spec.output.height
}
