package org.kerassegformer.core

import java.io.InputStream

/** Precision of weights and arithmetic; [json] is the converter's name. */
public enum class Precision(public val json: String) {
    FLOAT32("float32"),
    FLOAT16("float16"),
    DYNAMIC("dynamic"),
    INT8("int8"),
    INT8_NPU("int8_npu"),
    INT16X8("int16x8"),
    ;

    /** True for integer weights. */
    public val isInteger: Boolean get() = this != FLOAT32 && this != FLOAT16
}

/** Data type of a tensor; an element has [bytes] bytes. */
public enum class TensorType(public val json: String, public val bytes: Int) {
    UINT8("uint8", 1),
    INT32("int32", 4),
    FLOAT32("float32", 4),
}

/** The input of a model: an RGB image `(1, height, width, 3)`, 0..255, UINT8 or FLOAT32. */
public data class InputSpec(public val width: Int, public val height: Int, public val type: TensorType) {
    /** Size of the tensor in bytes. */
    public val byteCount: Int get() = width * height * 3 * type.bytes
}

/** Kind of a model's output. */
public enum class OutputKind(public val json: String) {
    /** `(1, height, width)`, INT32: class indices at a quarter of the input resolution. */
    LABELS("labels"),

    /** `(1, height, width)`, INT32: class indices at the input resolution. */
    LABELS_FULL("labels_full"),

    /** `(1, height, width, channels)`, FLOAT32: logits at a quarter of the input resolution. */
    LOGITS("logits"),
}

/** The output of a model; [channels] is 1 for labels, otherwise the number of logits. */
public data class OutputSpec(
    public val kind: OutputKind,
    public val width: Int,
    public val height: Int,
    public val channels: Int,
) {
    /** Size of the tensor in bytes. */
    public val byteCount: Int get() = width * height * channels * 4
}

/**
 * The classes of a model, ordered by index.
 *
 * @property colors opaque ARGB, one per class
 * @property ignoreIndex label of pixels without a class
 */
public data class LabelSet(
    public val name: String,
    public val title: String,
    public val names: List<String>,
    public val colors: List<Int>,
    public val ignoreIndex: Int,
) {
    /** Number of classes. */
    public val size: Int get() = names.size
}

/** License of a model's weights. */
public data class License(public val name: String, public val url: String, public val nonCommercial: Boolean)

/**
 * Agreement of a file with the float network: shares 0..1 of equal labels, on average and for the worst image.
 *
 * @property images number of images it was measured on
 */
public data class Fidelity(public val images: Int, public val agreement: Double, public val worstAgreement: Double)

/** A TF Lite version, such as 2.16.1. */
public data class RuntimeVersion(public val major: Int, public val minor: Int, public val patch: Int = 0) :
    Comparable<RuntimeVersion> {
    override fun compareTo(other: RuntimeVersion): Int =
        compareValuesBy(this, other, RuntimeVersion::major, RuntimeVersion::minor, RuntimeVersion::patch)

    override fun toString(): String = "$major.$minor.$patch"

    public companion object {
        private val PATTERN = Regex("""(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?""")

        /** Parses `2.16` or `2.16.1`; null for anything else. */
        public fun parse(text: String): RuntimeVersion? = PATTERN.matchEntire(text)?.destructured?.let {
                (major, minor, patch) ->
            RuntimeVersion(major.toInt(), minor.toInt(), patch.toIntOrNull() ?: 0)
        }
    }
}

/**
 * Description of a `.tflite` file, read from the converter's JSON file next to it.
 *
 * @property minimumRuntime oldest TF Lite that runs it correctly; older ones may return wrong results without an error
 * @property fidelity null if the converter had no images to measure it on
 * @property network checksum of the network's weights, which its files share; null if the converter did not state it
 * @property bytes size of the file
 * @property sha256 checksum of the file, lower-case hexadecimal
 */
public data class ModelSpec(
    public val labelSet: LabelSet,
    public val input: InputSpec,
    public val output: OutputSpec,
    public val precision: Precision,
    public val minimumRuntime: RuntimeVersion,
    public val license: License?,
    public val fidelity: Fidelity?,
    public val bytes: Long,
    public val sha256: String,
    public val network: String? = null,
) {
    /**
     * Reads a `.tflite` file and verifies it against this description.
     *
     * @throws ModelException [ModelFault.NOT_TFLITE], [ModelFault.WRONG_SIZE] or [ModelFault.WRONG_CHECKSUM]
     * @throws java.io.IOException the stream fails
     */
    public fun verify(file: InputStream): Unit = ModelFileCheck(bytes, sha256).run(file)

    public companion object {
        /**
         * Parses a description.
         *
         * @param json content of the converter's JSON file; unknown fields are ignored
         * @param runtime the TF Lite that will run the model; null to skip the check, if it is unknown
         * @throws ModelException a field is missing or invalid, or the model needs a newer runtime
         */
        public fun parse(json: String, runtime: RuntimeVersion?): ModelSpec =
            ModelSpecReader(json).read().also { spec -> runtime?.let { checkRuntime(spec, it) } }

        private fun checkRuntime(spec: ModelSpec, runtime: RuntimeVersion) {
            if (spec.minimumRuntime > runtime) {
                throw ModelException(
                    ModelFault.RUNTIME_TOO_OLD,
                    "This model needs TF Lite ${spec.minimumRuntime}, but the app has $runtime, which may return " +
                        "wrong results; convert it with --runtime tflite-2.16.",
                )
            }
        }
    }
}
