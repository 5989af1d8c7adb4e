"""TF Lite files of small networks."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def convert(model: keras.Model, path: Path, integer: tf.DType | None = None) -> Path:
    """Writes a network whose input has a fixed size, optionally with integers in place of all floats."""
    shape = model.inputs[0].shape
    # Not `from_keras_model`, with which TensorFlow 2.16 aborts for models of Keras 3.
    function = tf.function(lambda images: model(images, training=False))
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(tf.TensorSpec(shape, tf.float32)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if integer:
        generator = np.random.default_rng(0)
        samples = [generator.uniform(0, 255, shape).astype("float32") for _ in range(8)]
        samples += [np.full(shape, value, "float32") for value in (0, 255)]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = integer
    path.write_bytes(converter.convert())
    return path
