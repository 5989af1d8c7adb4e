package org.kerassegformer.core

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject

/** Model descriptions for tests, with modified fields. */
internal object TestSpecs {
    val RUNTIME = RuntimeVersion(2, 16, 1)

    private val THREE_CLASSES = """
        {
          "label_set": {
            "name": "three", "names": ["sky", "road", "car"],
            "palette": [[128, 128, 128], [128, 64, 128], [64, 0, 128]],
            "ignore_index": 255, "title": "Three classes", "raw_to_train": {"0": 0, "1": 1, "2": 2}
          },
          "input": {"shape": [1, 96, 128, 3], "dtype": "uint8", "colors": "RGB", "range": [0, 255]},
          "output": {"kind": "labels", "shape": [1, 24, 32], "dtype": "int32"},
          "precision": "int8",
          "tiles": true,
          "operators": [{"name": "ADD", "version": 1, "count": 58}],
          "minimum_runtime": "2.9.0",
          "license": {"name": "CC-BY-NC-4.0", "url": "https://example.org", "non_commercial": true},
          "fidelity": {"images": 6, "agreement": 0.99, "worst_agreement": 0.97, "vanished": [], "classes": []},
          "quantization": {"runtime": "tflite-2.16"},
          "written_by": {"keras-segformer": "0.1.0"},
          "bytes": 12,
          "sha256": "d29df2d18e1bdf1fceec96861a7f6bf4255abf05a814bb9def301ea0bda25661"
        }
    """

    /** Returns the description with replaced values, by paths such as `input.shape`; `null` removes a field. */
    fun json(vararg changes: Pair<String, String?>): String =
        changes.fold(Json.parseToJsonElement(THREE_CLASSES).jsonObject) { content, (path, value) ->
            content.with(path.split("."), value?.let(Json::parseToJsonElement))
        }.toString()

    fun spec(vararg changes: Pair<String, String?>): ModelSpec = ModelSpec.parse(json(*changes), RUNTIME)

    /** Returns a file with a unique checksum. */
    fun file(precision: Precision, input: TensorType = TensorType.UINT8, set: String = "b0_camvid"): ModelFile {
        val spec = spec(
            "precision" to "\"${precision.json}\"",
            "input.dtype" to "\"${input.json}\"",
            "sha256" to "\"${"%064x".format(precision.ordinal)}\"",
        )
        return ModelFile("${set}_${precision.json}", spec)
    }

    private fun JsonObject.with(path: List<String>, value: JsonElement?): JsonObject {
        val name = path.first()
        val inner = if (path.size > 1) getValue(name).jsonObject.with(path.drop(1), value) else value
        return JsonObject(if (inner == null) this - name else this + (name to inner))
    }
}
