"""From a model to a TF Lite file and the JSON file beside it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

import tensorflow as tf

from keras_segformer.files import atomic_file
from keras_segformer.models import SegFormerNetwork
from keras_segformer.models.segformer import MIN_IMAGE_SIZE

from .audit import Audit, audit
from .choices import AnyPrecision, InputKind, OutputKind, Runtime
from .fold import fold_all
from .graph.inference_function import inference_function
from .graph.network import Network, read_network
from .graph.pad_classes import fill_classes
from .graph.tiles import UNTILED, Tiling
from .progress import OnStep, silent
from .quantize import (
    PLANS,
    Calibration,
    Recipe,
    Request,
    fine_tune,
    make_calibration,
    quantize_file,
)
from .report.page import write_report
from .report.verification import Verification, verify_content
from .tflite.export import PRECISIONS, export
from .tflite.metadata import with_metadata
from .tflite.scale_pixels import scale_pixels

Traced = tf.types.experimental.ConcreteFunction


def convert(
    model: SegFormerNetwork,
    path: str | os.PathLike[str],
    precision: AnyPrecision = "float32",
    input_size: tuple[int, int] = (512, 512),
    input: InputKind = "uint8",
    output: OutputKind = "labels",
    calibration: Iterable[Any] | None = None,
    report: bool = True,
    *,
    tiles: bool = True,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    runtime: Runtime = "litert",
    target: float | None = None,
    fine_tune_steps: int = 0,
    on_step: OnStep = silent,
) -> dict[str, Any]:
    """Write a model as a TF Lite file of built-in operations, and beside it what an app needs to know of it.

    The file computes the same function at about half the arithmetic of the layers as they stand in the paper. Its
    input is a picture as it is, `(1, height, width, 3)`, RGB on the scale 0..255; the normalisation is inside.

    Args:
        model: A segmenter with a MiT or PVTv2 encoder; it is left as it is.
        path: The file to write, whose name ends in `.tflite`. The JSON file and the report have the same name with
            `.json` and `.html`. Older files of these names are replaced once the new ones are complete.
        precision: How weights are stored and arithmetic is done.
            - `"float32"`; `"float16"`: weights in half the bytes, for GPUs, which compute in float16.
            - `"dynamic"`: INT8 weights, inputs of layers quantised while they run; needs no images.
            - `"int8"`: for CPUs, the fastest mix of INT8 and float layers that follows the float network.
            - `"int8_npu"`: as much in INT8 as that allows, for NPUs; norms and residual sums are float.
            - `"int16x8"`: INT8 weights and INT16 tensors.
        input_size: `(height, width)` in pixels of the only size that the file takes. Multiples of 32 need the least
            memory.
        input: Type of the pixels.
        output: `"labels"`, int32 at a quarter of the size: 64 KB at 512x512, which an app reads in no time;
            `"labels_full"`, int32 at the size of the input, the labels of enlarged logits, which are never there as a
            whole; `"logits"`, float32 at a quarter of the size.
        calibration: Pictures `(H, W, 3)`, uint8, RGB, of any size: some dozen that look like what the model is to see.
            Integer precisions but `"dynamic"` are fitted to them; the fidelity of the file is measured on every
            fourth, which is not fitted to.
        report: Whether to write the page.
        tiles: Whether large tensors are computed in runs of rows. On a CPU that saves memory and costs
            no time. `False` leaves fewer operations, for accelerators.
        recipe: A recipe of an integer precision to follow in place of searching, or the JSON file that holds it, such
            as that beside an earlier file.
        runtime: What is to run a file of `"int8"`: LiteRT, or TF Lite up to 2.16, which has no fast kernels for
            dynamic INT8.
        target: The least mean agreement with the float network that the search for a recipe has to reach; `None` for
            that of the precision.
        fine_tune_steps: For how many calibration images the weights of an integer precision are trained to be rounded.
            Worth its time for recipes with few bits.
        on_step: Told of the progress.

    Returns:
        What the JSON file holds: the label set, kind, shape and type of input and output, precision, operations with
        their versions, the oldest runtime that knows them and their tensors, licence, size in bytes and SHA-256 of
        the `.tflite` file; of integer precisions the recipe and the sensitivities that led to it; and, where there are
        pictures, how closely the file follows the model. The metadata of the file holds the same, but for its size and
        checksum and for how a recipe was found.

    Raises:
        MissingExtraError: An integer precision needs litert-quantizer, which is not installed.
        ValueError: An argument is out of range, the model has a backbone that is no `MixTransformer`, a weight is
            not finite, calibration images are missing, or the audit of the file finds fault with it.

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
    _check_choice("precision", precision, (*PRECISIONS, *PLANS))
    _check_choice("input", input, get_args(InputKind))
    _check_choice("output", output, get_args(OutputKind))
    _check_choice("runtime", runtime, get_args(Runtime))
    _check_size(input_size)
    images = None if calibration is None else make_calibration(calibration, tuple(input_size))
    network = fold_all(read_network(model))
    if output != "logits":
        network = fill_classes(network)
    trace = functools.partial(_trace, size=tuple(input_size), input=input, tiling=Tiling() if tiles else UNTILED)
    function = trace(network, output=output)
    if precision in PRECISIONS:
        content, quantization = export(function, precision), None
    else:
        request = Request(
            precision=precision,
            calibration=images,
            recipe=recipe if isinstance(recipe, Recipe | None) else Recipe.load(recipe),
            runtime=runtime,
            target=target,
            retrain=_retrain(network, images, fine_tune_steps, output, trace, on_step) if fine_tune_steps else None,
        )
        logits = export(trace(network, output="logits"), "float32")
        content, quantization = quantize_file(export(function, "float32"), logits, request, on_step)
    content = scale_pixels(content)
    found = audit(content)
    _check_audit(found)
    verification = images and _verify(content, model, images, on_step)
    facts = {
        "label_set": model.label_set.to_dict(),
        "input": _describe(function.inputs[0]) | {"colors": "RGB", "range": [0, 255]},
        "output": {"kind": output} | _describe(function.structured_outputs[output]),
        "precision": precision,
        "tiles": tiles,
        "operators": found.operators,
        "minimum_runtime": found.minimum_runtime,
        "license": model.license and dataclasses.asdict(model.license),
        "fidelity": verification and verification.to_dict(),
        "quantization": quantization,
        "written_by": {name: importlib.metadata.version(name) for name in ("keras-segformer", "keras")}
        | {"tensorflow": tf.__version__},
    }
    content = with_metadata(content, facts | {"quantization": quantization and _without_search(quantization)})
    facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    page = write_report(facts, found, verification, model.label_set) if report else None
    _write(path, content, facts, page)
    return facts


def _trace(network: Network, output: OutputKind, size: tuple[int, int], input: InputKind, tiling: Tiling) -> Traced:
    return inference_function(network, size, input, output, tiling)


def _retrain(
    network: Network,
    images: Calibration | None,
    steps: int,
    output: OutputKind,
    trace: Callable[..., Traced],
    on_step: OnStep,
) -> Callable[[Recipe], tuple[bytes, bytes]]:
    if images is None:
        raise ValueError("Fine-tuning needs calibration images; name a folder of some dozen typical pictures.")

    def retrain(recipe: Recipe) -> tuple[bytes, bytes]:
        tuned = fine_tune(network, recipe, images.fitted, steps, on_step=on_step)
        return export(trace(tuned, output=output), "float32"), export(trace(tuned, output="logits"), "float32")

    return retrain


def _without_search(quantization: dict[str, Any]) -> dict[str, Any]:
    """What is the same when the recipe is followed again."""
    return {name: value for name, value in quantization.items() if name not in ("target", "search", "sensitivity")}


def _verify(content: bytes, model: SegFormerNetwork, images: Calibration, on_step: OnStep) -> Verification:
    named = [(f"calibration image {index}", image) for index, image in enumerate(images.unaltered_measured)]
    return verify_content(content, model, named, on_step)


def _check_audit(found: Audit) -> None:
    if found.faults:
        raise ValueError(
            f"The converted file would not run as it should ({'; '.join(found.faults)}); convert with another version "
            f"of TensorFlow than {tf.__version__}."
        )


def _write(path: Path, content: bytes, facts: dict[str, Any], page: str | None) -> None:
    with contextlib.ExitStack() as files:
        if page is not None:
            files.enter_context(atomic_file(path.with_suffix(".html"))).write_text(page, encoding="utf-8")
        description = files.enter_context(atomic_file(path.with_suffix(".json")))
        description.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        files.enter_context(atomic_file(path)).write_bytes(content)


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
