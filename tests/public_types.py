"""Code of a user, for a type checker: what is called here has real types."""

from pathlib import Path
from typing import Any, assert_type

import keras_segformer
from keras_segformer.conversion import convert

model = keras_segformer.SegFormer.from_preset("b0_camvid")
assert_type(model, keras_segformer.SegFormer)
assert_type(keras_segformer.VARIANTS["b0"], keras_segformer.SegFormerConfig)
assert_type(keras_segformer.PRESETS["b0_camvid"], keras_segformer.PresetInfo)
assert_type(keras_segformer.list_presets(), list[str])
assert_type(keras_segformer.load_label_set("camvid"), keras_segformer.LabelSet)

examples = keras_segformer.data.load("camvid", "val", "CamVid")
assert_type(examples, keras_segformer.data.Examples)
assert_type(keras_segformer.data.check("camvid", "CamVid"), dict[str, keras_segformer.data.CheckReport])
assert_type(keras_segformer.data.Augmentation((512, 512)), keras_segformer.data.Augmentation)
assert_type(keras_segformer.evaluation.evaluate(model, examples), keras_segformer.evaluation.Evaluation)
assert_type(keras_segformer.evaluation.ConfusionMatrix(3).scores(), keras_segformer.evaluation.Scores)

recipe = keras_segformer.training.load_recipe("b0_camvid")
assert_type(recipe, keras_segformer.training.Recipe)
settings = keras_segformer.training.RunSettings(Path("run"))
assert_type(keras_segformer.training.train(keras_segformer.SegFormer, recipe, settings), Path)
complexity = keras_segformer.analysis.count_complexity(keras_segformer.VARIANTS["b0"], (512, 512))
assert_type(complexity, keras_segformer.analysis.Complexity)

assert_type(convert(model, "b0.tflite", "int8", calibration=[]), dict[str, Any])
assert_type(keras_segformer.conversion.audit("b0.tflite"), keras_segformer.conversion.Audit)
assert_type(keras_segformer.conversion.verify("b0.tflite", model, "photos"), keras_segformer.conversion.Verification)
assert_type(keras_segformer.conversion.benchmark(["b0.tflite"]), dict[str, keras_segformer.conversion.FileFigures])

convert(model, "b0.tflite", "int7")  # type: ignore[arg-type]
_ = keras_segformer.data.nothing  # type: ignore[attr-defined]
