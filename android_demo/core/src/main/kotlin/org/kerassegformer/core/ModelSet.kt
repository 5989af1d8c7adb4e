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

    /** Returns true if the description of the other file states another network. */
    public fun isOfOtherNetwork(other: ModelFile): Boolean =
        spec.network != null && other.spec.network != null && spec.network != other.spec.network
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

        /**
         * Groups files of one network, whose names differ only in the precision; sorted by name. Further networks of a
         * name are numbered.
         */
        public fun group(files: Collection<ModelFile>): List<ModelSet> = files
            .sortedBy { it.stem }
            .groupBy { it.setName }
            .flatMap { (name, members) ->
                networksIn(members).mapIndexed { i, network -> ModelSet(if (i == 0) name else "$name (${i + 1})", network) }
            }
            .sortedBy { it.name }

        private fun networksIn(files: List<ModelFile>): List<List<ModelFile>> {
            val networks = ArrayList<MutableList<ModelFile>>()
            // Files that state their network come first: the others, of older converters, then join one of them.
            for (file in files.sortedBy { it.spec.network == null }) {
                val own = networks.find { network ->
                    network.first().spec.labelSet == file.spec.labelSet && network.none(file::isOfOtherNetwork)
                }
                if (own == null) networks += mutableListOf(file) else own += file
            }
            return networks
        }
    }
}
