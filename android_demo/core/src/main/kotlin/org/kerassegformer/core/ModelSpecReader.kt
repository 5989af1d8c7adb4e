package org.kerassegformer.core

/** Parses the converter's JSON; the field names are those of `conversion/convert.py`. */
internal class ModelSpecReader(json: String) {
    private val facts = JsonFields.parse(json, REMEDY)

    fun read(): ModelSpec {
        val labelSet = readLabelSet(facts.fields("label_set"))
        val input = readInput(facts.fields("input"))
        return ModelSpec(
            labelSet = labelSet,
            input = input,
            output = readOutput(facts.fields("output"), input, labelSet),
            precision = facts.choice("precision", Precision.entries) { it.json },
            minimumRuntime = RuntimeVersion.parse(facts.text("minimum_runtime"))
                ?: facts.bad("minimum_runtime", "a version such as 2.16.1"),
            license = facts.optionalFields("license")?.let(::readLicense),
            fidelity = facts.optionalFields("fidelity")?.let(::readFidelity),
            bytes = facts.integer("bytes", 1..MOST_BYTES),
            sha256 = facts.text("sha256").lowercase().takeIf(SHA256::matches)
                ?: facts.bad("sha256", "64 hexadecimal digits"),
            network = facts.optionalText("network")?.lowercase(),
        )
    }

    private fun readLabelSet(fields: JsonFields): LabelSet {
        val names = fields.texts("names")
        if (names.size !in 1..MOST_CLASSES || names.any { it.isBlank() || it.length > LONGEST_NAME || '\n' in it }) {
            fields.bad("names", "1 to $MOST_CLASSES class names of one line each")
        }
        val palette = fields.integerLists("palette", 0..255)
        if (palette.size != names.size || palette.any { it.size != 3 }) {
            fields.bad("palette", "red, green and blue for each of the ${names.size} classes")
        }
        return LabelSet(
            name = fields.text("name"),
            title = fields.optionalText("title").orEmpty(),
            names = names,
            colors = palette.map { (red, green, blue) -> OPAQUE or (red shl 16) or (green shl 8) or blue },
            ignoreIndex = fields.integer("ignore_index", names.size.toLong()..65535L).toInt(),
        )
    }

    private fun readInput(fields: JsonFields): InputSpec {
        val shape = fields.integers("shape", 0..Int.MAX_VALUE)
        val isPicture = shape.size == 4 && shape[0] == 1 && shape[3] == 3
        if (!isPicture || shape.subList(1, 3).any { it !in SHORTEST_SIDE..FrameGeometry.MAX_TENSOR_SIDE }) {
            val sides = SHORTEST_SIDE..FrameGeometry.MAX_TENSOR_SIDE
            fields.bad("shape", "1, height, width, 3 with sides in $sides")
        }
        if (fields.text("colors") != "RGB") fields.bad("colors", "RGB")
        if (fields.integers("range", 0..255) != listOf(0, 255)) fields.bad("range", "0, 255")
        val type = fields.choice("dtype", listOf(TensorType.UINT8, TensorType.FLOAT32)) { it.json }
        return InputSpec(width = shape[2], height = shape[1], type = type)
    }

    private fun readOutput(fields: JsonFields, input: InputSpec, labelSet: LabelSet): OutputSpec {
        val kind = fields.choice("kind", OutputKind.entries) { it.json }
        val shape = fields.integers("shape", 0..Int.MAX_VALUE)
        val width = if (kind == OutputKind.LABELS_FULL) input.width else (input.width + 3) / 4
        val height = if (kind == OutputKind.LABELS_FULL) input.height else (input.height + 3) / 4
        // A model with two classes may have a single logit, that of the second class.
        val channels = if (kind == OutputKind.LOGITS && labelSet.size == 2 && shape.last() == 1) 1 else labelSet.size
        val expected = if (kind == OutputKind.LOGITS) listOf(1, height, width, channels) else listOf(1, height, width)
        if (shape != expected) fields.bad("shape", expected.joinToString())
        val type = if (kind == OutputKind.LOGITS) TensorType.FLOAT32 else TensorType.INT32
        fields.choice("dtype", listOf(type)) { it.json }
        if (kind == OutputKind.LOGITS && width.toLong() * height * channels > MOST_LOGITS) {
            fields.bad("shape", "at most $MOST_LOGITS logits: convert with --output-kind labels")
        }
        return OutputSpec(kind, width, height, channels = if (kind == OutputKind.LOGITS) channels else 1)
    }

    private fun readLicense(fields: JsonFields) =
        License(fields.text("name"), fields.text("url"), fields.flag("non_commercial"))

    private fun readFidelity(fields: JsonFields) = Fidelity(
        images = fields.integer("images", 1..Int.MAX_VALUE.toLong()).toInt(),
        agreement = fields.number("agreement", 0.0..1.0),
        worstAgreement = fields.number("worst_agreement", 0.0..1.0),
    )

    private companion object {
        const val REMEDY = "convert the model again with keras-segformer convert and use both files."
        const val OPAQUE = 0xFF shl 24
        const val MOST_CLASSES = 65535
        const val LONGEST_NAME = 200
        const val SHORTEST_SIDE = 32
        const val MOST_BYTES = 1L shl 30
        const val MOST_LOGITS = 1L shl 28
        val SHA256 = Regex("[0-9a-f]{64}")
    }
}
