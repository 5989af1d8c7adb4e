package org.kerassegformer.core

import java.io.InputStream

/** How the weights of a file are stored and its arithmetic is done; [json] is the converter's name of it. */
public enum class Precision(public val json: String) {
    FLOAT32("float32"),
    FLOAT16("float16"),
    DYNAMIC("dynamic"),
    INT8("int8"),
    INT8_NPU("int8_npu"),
    INT16X8("int16x8"),
    ;

    /** Whether weights are integers. */
    public val isInteger: Boolean get() = this != FLOAT32 && this != FLOAT16
}

/** Type of a tensor's elements, [bytes] each. */
public enum class TensorType(public val json: String, public val bytes: Int) {
    UINT8("uint8", 1),
    INT32("int32", 4),
    FLOAT32("float32", 4),
}

/** The only input of a model: a picture `(1, height, width, 3)`, RGB on the scale 0..255, UINT8 or FLOAT32. */
public data class InputSpec(public val width: Int, public val height: Int, public val type: TensorType) {
    /** Bytes of the tensor. */
    public val byteCount: Int get() = width * height * 3 * type.bytes
}

/** What a model gives. */
public enum class OutputKind(public val json: String) {
    /** `(1, height, width)`, INT32: the class at every fourth pixel. */
    LABELS("labels"),

    /** `(1, height, width)`, INT32: the class at every pixel. */
    LABELS_FULL("labels_full"),

    /** `(1, height, width, channels)`, FLOAT32: the logit of every class at every fourth pixel. */
    LOGITS("logits"),
}

/** The only output of a model; [channels] is 1 for labels, and the number of logits otherwise. */
public data class OutputSpec(
    public val kind: OutputKind,
    public val width: Int,
    public val height: Int,
    public val channels: Int,
) {
    /** Bytes of the tensor. */
    public val byteCount: Int get() = width * height * channels * 4
}

/**
 * The classes that a model knows, in the order of their numbers.
 *
 * @property colors opaque ARGB, one of each class
 * @property ignoreIndex the label of pixels of no class
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

/** Terms of a model's weights. */
public data class License(public val name: String, public val url: String, public val nonCommercial: Boolean)

/**
 * How closely a file follows the float network: shares 0..1 of the positions with the same label.
 *
 * @property images number of pictures that it was measured on
 */
public data class Fidelity(public val images: Int, public val agreement: Double, public val worstAgreement: Double)

/** Version of TF Lite, such as 2.16.1. */
public data class RuntimeVersion(public val major: Int, public val minor: Int, public val patch: Int = 0) :
    Comparable<RuntimeVersion> {
    override fun compareTo(other: RuntimeVersion): Int =
        compareValuesBy(this, other, RuntimeVersion::major, RuntimeVersion::minor, RuntimeVersion::patch)

    override fun toString(): String = "$major.$minor.$patch"

    public companion object {
        private val PATTERN = Regex("""(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?""")

        /** Reads `2.16` or `2.16.1`; null for anything else. */
        public fun parse(text: String): RuntimeVersion? = PATTERN.matchEntire(text)?.destructured?.let {
                (major, minor, patch) ->
            RuntimeVersion(major.toInt(), minor.toInt(), patch.toIntOrNull() ?: 0)
        }
    }
}

/**
 * What the converter's JSON file says of the `.tflite` file beside it.
 *
 * @property minimumRuntime the oldest TF Lite that computes it rightly: older ones may give garbage without an error
 * @property fidelity null where the converter had no pictures to measure it on
 * @property bytes size of the file
 * @property sha256 of the file, in lower-case hexadecimal digits
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
) {
    /**
     * Reads a `.tflite` file to its end and holds it against this description.
     *
     * @throws ModelException [ModelFault.NOT_TFLITE], [ModelFault.WRONG_SIZE] or [ModelFault.WRONG_CHECKSUM]
     * @throws java.io.IOException the stream fails
     */
    public fun verify(file: InputStream): Unit = ModelFileCheck(bytes, sha256).run(file)

    public companion object {
        /** The TF Lite that the app is built with. */
        public val APP_RUNTIME: RuntimeVersion = RuntimeVersion(2, 16, 1)

        /**
         * Reads a description.
         *
         * @param json text of the converter's JSON file; fields that are not known are passed over
         * @param runtime the TF Lite that is to run the model
         * @throws ModelException a field is missing or absurd, or the model needs a newer runtime
         */
        public fun parse(json: String, runtime: RuntimeVersion = APP_RUNTIME): ModelSpec =
            ModelSpecReader(json).read().also { checkRuntime(it, runtime) }

        private fun checkRuntime(spec: ModelSpec, runtime: RuntimeVersion) {
            if (spec.minimumRuntime > runtime) {
                throw ModelException(
                    ModelFault.RUNTIME_TOO_OLD,
                    "This model needs TF Lite ${spec.minimumRuntime}, and the app has $runtime, which would compute " +
                        "nonsense; convert it with --runtime tflite-${runtime.major}.${runtime.minor}.",
                )
            }
        }
    }
}
