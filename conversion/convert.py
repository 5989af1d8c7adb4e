"""From a model to a TF Lite file and the JSON file beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import tensorflow as tf

from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.export import PRECISIONS, Precision, export
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.inference_graph import InputKind, OutputKind, inference_function
from keras_segformer.conversion.network import read_network
from keras_segformer.conversion.tiles import UNTILED, Tiling
from keras_segformer.files import atomic_file
from keras_segformer.models import SegFormerNetwork
from keras_segformer.models.segformer import MIN_IMAGE_SIZE


def convert(
    model: SegFormerNetwork,
    path: str | os.PathLike[str],
    precision: Precision = "float32",
    input_size: tuple[int, int] = (512, 512),
    input: InputKind = "uint8",
    output: OutputKind = "labels",
    tiles: bool = True,
) -> dict[str, Any]:
    """Write a model as a TF Lite file of built-in operations, and beside it what an app needs to know of it.

    The file computes the same function at about half the arithmetic of the layers as they stand in the paper
    (`keras_segformer.conversion.fold`). Its input is a picture as it is, `(1, height, width, 3)`, RGB on the scale
    0..255; the normalisation is inside.

    Args:
        model: A segmenter with a MiT or PVTv2 encoder; it is left as it is.
        path: The file to write, whose name ends in `.tflite`. The JSON file has the same name with `.json`. Older
            files of these names are replaced once the new ones are complete.
        precision: How the weights are stored, a name in `keras_segformer.conversion.export.PRECISIONS`.
        input_size: `(height, width)` in pixels of the only size that the file takes. Multiples of 32 need the least
            memory.
        input: Type of the pixels.
        output: `"labels"`, int32 at a quarter of the size: 64 KB at 512x512, which an app reads in no time;
            `"labels_full"`, int32 at the size of the input, the labels of enlarged logits, which are never there as a
            whole; `"logits"`, float32 at a quarter of the size.
        tiles: Whether large tensors are computed in runs of rows. On a CPU that saves memory and costs
            no time. `False` leaves fewer operations, for accelerators.

    Returns:
        What the JSON file holds: the label set, kind, shape and type of input and output, precision, operations with
        their versions, the oldest runtime that knows them and their tensors, licence, size in bytes and SHA-256 of
        the `.tflite` file.

    Raises:
        ValueError: An argument is out of range, the model has a backbone that is no `MixTransformer`, a weight is
            not finite, or the audit of the file finds fault with it.

    Example:

    >>> import tempfile
    >>> from keras_segformer import VARIANTS, SegFormer
    >>> file = Path(tempfile.mkdtemp()) / "b0.tflite"
    >>> facts = convert(SegFormer(VARIANTS["b0"]), file, input_size=(64, 96))
    >>> facts["output"]["shape"], json.loads(file.with_suffix(".json").read_text()) == facts
    ([1, 16, 24], True)
    """
    path = Path(path)
    _check_path(path)
    _check_choice("precision", precision, PRECISIONS)
    _check_choice("input", input, get_args(InputKind))
    _check_choice("output", output, get_args(OutputKind))
    _check_size(input_size)
    network = fold_all(read_network(model))
    function = inference_function(network, tuple(input_size), input, output, Tiling() if tiles else UNTILED)
    content = export(function, precision)
    found = audit(content, targets=())
    if found.faults:
        raise ValueError(
            f"The converted file would not run as it should ({'; '.join(found.faults)}); convert with another version "
            f"of TensorFlow than {tf.__version__}."
        )
    facts = {
        "label_set": model.label_set.to_dict(),
        "input": _describe(function.inputs[0]) | {"colors": "RGB", "range": [0, 255]},
        "output": {"kind": output} | _describe(function.structured_outputs[output]),
        "precision": precision,
        "tiles": tiles,
        "operators": found.operators,
        "minimum_runtime": found.minimum_runtime,
        "license": model.license and dataclasses.asdict(model.license),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "written_by": {name: importlib.metadata.version(name) for name in ("keras-segformer", "keras")}
        | {"tensorflow": tf.__version__},
    }
    with atomic_file(path) as file, atomic_file(path.with_suffix(".json")) as description:
        file.write_bytes(content)
        description.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return facts


def _describe(tensor: tf.Tensor) -> dict[str, Any]:
    return {"shape": tensor.shape.as_list(), "dtype": tensor.dtype.name}


def _check_path(path: Path) -> None:
    if path.suffix != ".tflite":
        raise ValueError(f"The file to write is '{path}'; give it a name that ends in .tflite.")


def _check_choice(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise ValueError(f"There is no {name} {value!r}; choose one of {', '.join(known)}.")


def _check_size(size: tuple[int, int]) -> None:
    integers = isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(each, int) for each in size)
    if not integers or min(size) < MIN_IMAGE_SIZE:
        raise ValueError(
            f"The input size is (height, width) in pixels, each at least {MIN_IMAGE_SIZE}; got {size!r}, so choose "
            "another, such as (512, 512)."
        )
