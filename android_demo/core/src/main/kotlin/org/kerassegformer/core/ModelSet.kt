package org.kerassegformer.core

/** A processor that can run a model. */
public enum class Processor { GPU, NNAPI, CPU }

/**
 * A model file, by the name that it shares with its description.
 *
 * @property stem file name without `.tflite`, such as `b0_camvid_int8`
 */
public data class ModelFile(public val stem: String, public val spec: ModelSpec) {
    /** The stem without its precision, such as `b0_camvid`. */
    public val setName: String get() = stem.removeSuffix("_${spec.precision.json}")
}

/**
 * The files of one network, at most one per precision.
 *
 * @property name such as `b0_camvid`
 * @property files at least one
 */
public class ModelSet(public val name: String, public val files: List<ModelFile>) {
    /** The classes, shared by all files. */
    public val labelSet: LabelSet get() = files.first().spec.labelSet

    /**
     * Returns the best file for a processor, or null.
     *
     * The GPU delegate computes in floating point and does not support uint8 input; NNAPI only pays off for integer
     * models; the CPU runs everything.
     */
    public fun fileFor(processor: Processor): ModelFile? = when (processor) {
        Processor.GPU -> best(FOR_GPU) { it.spec.input.type == TensorType.FLOAT32 }
        Processor.NNAPI -> best(FOR_NNAPI) { true }
        Processor.CPU -> best(FOR_CPU) { true }
    }

    private fun best(order: List<Precision>, isFit: (ModelFile) -> Boolean): ModelFile? =
        files.filter { it.spec.precision in order && isFit(it) }.minByOrNull { order.indexOf(it.spec.precision) }

    public companion object {
        private val FOR_GPU = listOf(Precision.FLOAT16, Precision.FLOAT32)
        private val FOR_NNAPI = listOf(Precision.INT8_NPU)
        private val FOR_CPU = listOf(
            Precision.INT8, Precision.DYNAMIC, Precision.FLOAT32, Precision.FLOAT16, Precision.INT8_NPU,
            Precision.INT16X8,
        )

        /** Groups files with the same classes whose names differ only in the precision; sorted by name. */
        public fun group(files: Collection<ModelFile>): List<ModelSet> = files
            .sortedBy { it.stem }
            .groupBy { it.setName to it.spec.labelSet }
            .map { (key, members) -> ModelSet(key.first, members) }
            .sortedBy { it.name }
    }
}
