package org.kerassegformer.demo.engine

import org.kerassegformer.core.LabelMap
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.Processor
import org.kerassegformer.demo.models.StoredModel

/**
 * The CPU's labels of the check picture, with which those of accelerators are compared.
 *
 * @property nanos time of one run
 */
internal class CpuReference(val file: ModelFile, val threads: Int, val map: LabelMap, val nanos: Long)

/** Computes [CpuReference]s, and keeps the last one: each accelerator of a model needs the same. For one thread. */
internal class CpuReferences(
    private val loader: ModelLoader,
    private val picture: CheckPicture,
    private val notes: TryNotes,
) {
    private var last: CpuReference? = null

    /** The file that suits the CPU, or, if its labels are of another size than those of [accelerated], that one. */
    fun fileFor(model: StoredModel, accelerated: ModelFile): ModelFile =
        model.set.fileFor(Processor.CPU)?.takeIf { it.isComparableWith(accelerated) } ?: accelerated

    /**
     * What the CPU says to the check picture with [file].
     *
     * @throws Throwable as [ModelLoader.load] and [LoadedModel.run] do
     */
    fun of(model: StoredModel, file: ModelFile, threads: Int): CpuReference =
        last?.takeIf { it.file == file && it.threads == threads } ?: compute(model, file, threads).also { last = it }

    /** Forgets what is kept. */
    fun clear() {
        last = null
    }

    private fun compute(model: StoredModel, file: ModelFile, threads: Int): CpuReference = notes.onCpu(file) {
        loader.load(file, model.locationOf(file), Processor.CPU, threads).use {
            CpuReference(file, threads, it.answer(picture), it.fastestRun())
        }
    }

    private fun ModelFile.isComparableWith(other: ModelFile): Boolean =
        spec.output.width == other.spec.output.width && spec.output.height == other.spec.output.height
}
