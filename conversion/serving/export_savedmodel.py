"""Writes SavedModels for TensorFlow Serving."""

from __future__ import annotations

import json
import os
from typing import Any, get_args

import keras
import tensorflow as tf

from keras_segformer.files import atomic_folder
from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import with_channel_per_label

from ..choices import InputKind
from ..graph.weights import check_model
from ..model_facts import model_facts
from ..options import check_choice
from .saved_model_graph import (
    aligned_size,
    decode_picture,
    enlarged_labels,
    enlarged_probabilities,
    resize_picture,
)

FACTS_FILE = "assets.extra/facts.json"
"""Where the facts are; TensorFlow Serving leaves this folder to whoever writes a model."""


def export_savedmodel(
    model: SegFormerNetwork,
    folder: str | os.PathLike[str],
    input: InputKind = "uint8",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Export a model as a SavedModel, which runs without this package and without Keras.

    It has three signatures:

    - `serving_default` takes `images`, `(batch, height, width, 3)`, RGB in 0..255, as the network is to see them, with
      sides of at least 32 pixels. It returns `logits` and `probabilities` at a quarter of the size, float32, and
      `labels` at the size of the images, int32: those of `segment(size="native")`.
    - `serve_bytes` takes `image_bytes`, `(batch,)`, the contents of JPEG or PNG files, and returns what `segment` does:
      `labels`, `(batch, H, W)`, int32, and `probabilities`, `(batch, H, W, labels)`, float32, at the size of the
      largest picture, and `sizes`, `(batch, 2)`, the height and width of each. Pictures that are smaller fill the upper
      left; beyond them labels are -1 and probabilities 0.
    - `serve_labels` is the same without the probabilities, which take 600 bytes per pixel with 150 classes.

    Args:
        model: A segmentation model with any backbone. It is not modified.
        folder: The folder to write, such as `models/segformer/1`: TensorFlow Serving wants a version number below the
            name of the model.
        input: Data type of `images`.
        overwrite: Whether a folder that holds something is replaced.

    Returns:
        The facts in `assets.extra/facts.json` of the folder: the label set, the signatures, the licence and the
        versions of the packages.

    Raises:
        FileExistsError: The folder holds something, and `overwrite` was not asked for.
        ValueError: There is no such kind of input, or Keras does not run on TensorFlow.

    Example:

    ```python
    facts = export_savedmodel(model, "models/segformer/1")
    served = tf.saved_model.load("models/segformer/1").signatures["serve_labels"]
    labels = served(image_bytes=tf.constant([Path("photo.jpg").read_bytes()]))["labels"]
    ```
    """
    check_choice("input", input, get_args(InputKind))
    check_model(model)
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"Keras runs on {keras.backend.backend()}, but SavedModels are made of TensorFlow's operations; set "
            "KERAS_BACKEND=tensorflow, or export ONNX."
        )
    with atomic_folder(folder, overwrite) as temporary:
        signatures = _signatures(_ServedModel(model), input)
        # Holds the variables alone, and not the layers, which a server does not know.
        module = tf.Module(name="segformer")
        module.weights = [each for function in signatures.values() for each in function.variables]
        tf.saved_model.save(module, os.fspath(temporary), signatures=signatures)
        facts = {**model_facts(model), "signatures": _describe(signatures)}
        file = temporary / FACTS_FILE
        file.parent.mkdir()
        file.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return facts


def _signatures(served: _ServedModel, input: InputKind) -> dict[str, Any]:
    images = tf.TensorSpec((None, None, None, 3), tf.as_dtype(input), name="images")
    files = tf.TensorSpec((None,), tf.string, name="image_bytes")
    functions = {
        "serving_default": (served.serve_images, images),
        "serve_bytes": (served.serve_bytes, files),
        "serve_labels": (served.serve_labels, files),
    }
    return {
        name: tf.function(function, autograph=False).get_concrete_function(specification)
        for name, (function, specification) in functions.items()
    }


class _ServedModel:
    """The functions behind the signatures."""

    def __init__(self, model: SegFormerNetwork) -> None:
        self._network = model.quarter
        self._input_size = model.config.input_size

    def serve_images(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = self._logits(tf.cast(images, tf.float32))
        labels = enlarged_labels(with_channel_per_label(logits), tf.shape(images)[1:3])
        probabilities = tf.nn.softmax(with_channel_per_label(logits))
        return {"logits": logits, "probabilities": probabilities, "labels": labels}

    def serve_bytes(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._serve_files(image_bytes, with_probabilities=True)

    def serve_labels(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._serve_files(image_bytes, with_probabilities=False)

    def _serve_files(self, contents: tf.Tensor, with_probabilities: bool) -> dict[str, tf.Tensor]:
        # Ragged tensors, since the pictures of a batch differ in size.
        ragged = {"labels": tf.RaggedTensorSpec((None, None), tf.int32, ragged_rank=1)}
        if with_probabilities:
            channels = max(2, self._network.output.shape[-1])
            ragged["probabilities"] = tf.RaggedTensorSpec((None, None, channels), tf.float32, ragged_rank=1)

        def serve_one(content: tf.Tensor) -> dict[str, tf.Tensor]:
            picture = decode_picture(content)
            size = tf.shape(picture)[:2]
            seen = resize_picture(picture, aligned_size(size, self._input_size))
            logits = with_channel_per_label(self._logits(seen[None]))
            result = {"labels": enlarged_labels(logits, size)}
            if with_probabilities:
                result["probabilities"] = enlarged_probabilities(logits, size)
            return {name: tf.RaggedTensor.from_tensor(each[0]) for name, each in result.items()} | {"sizes": size}

        spec = ragged | {"sizes": tf.TensorSpec((2,), tf.int32)}
        # One picture at a time: several at once would each need the memory of a forward pass.
        served = tf.map_fn(serve_one, contents, fn_output_signature=spec, parallel_iterations=1)
        padding = {"labels": -1, "probabilities": 0.0}
        padded = {name: served[name].to_tensor(padding[name]) for name in ragged}
        return padded | {"sizes": served["sizes"]}

    def _logits(self, images: tf.Tensor) -> tf.Tensor:
        return tf.cast(self._network(images, training=False), tf.float32)


def _describe(signatures: dict[str, Any]) -> dict[str, Any]:
    """Names, shapes and types of what every signature takes and returns."""
    return {
        name: {
            "inputs": _describe_tensors({each.name: each for each in function.structured_input_signature[0]}),
            "outputs": _describe_tensors(function.structured_outputs),
        }
        for name, function in signatures.items()
    }


def _describe_tensors(tensors: dict[str, Any]) -> dict[str, Any]:
    return {name: {"shape": list(each.shape), "dtype": each.dtype.name} for name, each in tensors.items()}
