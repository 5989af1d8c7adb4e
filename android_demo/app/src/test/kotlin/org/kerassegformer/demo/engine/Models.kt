package org.kerassegformer.demo.engine

import org.kerassegformer.core.Fidelity
import org.kerassegformer.core.InputSpec
import org.kerassegformer.core.LabelSet
import org.kerassegformer.core.ModelFile
import org.kerassegformer.core.ModelSet
import org.kerassegformer.core.ModelSpec
import org.kerassegformer.core.OutputKind
import org.kerassegformer.core.OutputSpec
import org.kerassegformer.core.Precision
import org.kerassegformer.core.RuntimeVersion
import org.kerassegformer.core.TensorType
import org.kerassegformer.demo.models.ModelLocation
import org.kerassegformer.demo.models.StoredModel
import java.io.File

/** A model with three files that do not exist, for runners that read no files. */
internal fun fakeModel(
    name: String = "fake",
    precisions: List<Precision> = listOf(Precision.FLOAT16, Precision.INT8_NPU, Precision.INT8),
): StoredModel {
    val files = precisions.map { ModelFile("${name}_${it.json}", fakeSpec(name, it)) }
    val locations = files.associate { it.stem to ModelLocation.OnDisk(File("/nowhere/${it.stem}.tflite")) }
    return StoredModel(ModelSet(name, files), locations, imported = false)
}

/** A network with four classes and inputs of [FAKE_SIDE] pixels. */
internal fun fakeSpec(name: String, precision: Precision): ModelSpec = ModelSpec(
    labelSet = LabelSet("four", "Four classes", listOf("road", "tree", "sky", "car"), listOf(-1, -2, -3, -4), 255),
    input = InputSpec(FAKE_SIDE, FAKE_SIDE, if (precision.isInteger) TensorType.UINT8 else TensorType.FLOAT32),
    output = OutputSpec(OutputKind.LABELS, FAKE_SIDE / 4, FAKE_SIDE / 4, 1),
    precision = precision,
    minimumRuntime = RuntimeVersion(2, 9),
    license = null,
    fidelity = Fidelity(6, 0.995, 0.99),
    bytes = 100,
    sha256 = "$name${precision.json}".hashCode().toUInt().toString(16).padStart(64, '0'),
)

internal const val FAKE_SIDE = 32
internal const val FAKE_CLASSES = 4
