"""Converts a model to a TF Lite file, with a JSON file and a report beside it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_segformer.files import atomic_files, write_bytes
from keras_segformer.models import SegFormerNetwork
from keras_segformer.runtime import TensorDetails, TFLiteRunner
from keras_segformer.runtime.border import NO_BORDER, Border

from .audit import Audit, audit
from .audit.versions import runtime_key
from .choices import AnyPrecision, ClientName, InputKind, OutputKind, Runtime
from .clients import check_classes
from .fold import fold_all
from .graph.center_pixels import center_pixels
from .graph.center_values import center_values
from .graph.clean_registers import clean_registers
from .graph.even_channels import even_channels
from .graph.network import Network
from .graph.pad_classes import pad_classes
from .graph.trace import TracedNetwork, output_shape, trace_network
from .graph.weights import check_model, read_network
from .mcu.export import export_for_microcontrollers
from .mcu.network import border_of, check_network
from .model_facts import model_facts
from .options import ConversionOptions
from .progress import Progress, silent
from .quantize import (
    Calibration,
    QuantizationOptions,
    QuantizationRecipe,
    make_calibration,
    quantize_network,
)
from .quantize.float_file import FloatFile
from .report.page import write_report
from .report.verification import Verification, verify_content
from .tflite.export import export
from .tflite.half import with_half_hint
from .tflite.metadata import with_metadata
from .tflite.resizable import with_initial_shape
from .tflite.scale_pixels import scale_pixels
from .tiling import tiling_for

_MAX_LOSS_OF_HALF = 0.01  # of the agreement


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
    batch_size: int = 1,
    resizable: bool = False,
    tiles: bool = True,
    save_memory: bool = False,
    recipe: QuantizationRecipe | str | os.PathLike[str] | None = None,
    runtime: Runtime = "litert",
    client: ClientName | None = None,
    target: float | None = None,
    fine_tune_steps: int = 0,
    measure_times: bool = False,
    half: bool = False,
    preset: str | None = None,
    bit_depth: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Convert a model to a TF Lite file of built-in operations, and write a JSON file that describes it for apps.

    The file computes the same function as the model with about half of the arithmetic of its layers
    (`conversion/fold`). Its input is an image `(batch_size, height, width, 3)`, RGB in 0..255; the normalisation
    is part of the file.

    Args:
        model: A segmentation model. It is not modified. Encoders other than MiT and PVTv2 are traced as they are,
            before the folded decoder, in the precisions `"float32"`, `"float16"` and `"dynamic"`.
        path: The file to write; its name must end in `.tflite`. The JSON file and the report have the same name with
            `.json` and `.html`. Existing files are replaced once the new ones are complete.
        precision: How weights are stored and arithmetic is done.
            - `"float32"`.
            - `"float16"`: weights of half the size, for GPUs, which compute in float16.
            - `"dynamic"`: INT8 weights; the inputs of layers are quantised at run time. Needs no calibration images.
            - `"int8"`: for CPUs; the fastest mix of INT8 and float layers that agrees with the float network.
            - `"int8_npu"`: for NPUs; as much in INT8 as the agreement allows. Norms and residual sums are float.
            - `"int8_mcu"`: for microcontrollers; INT8 throughout, input and output included. For networks without GELU
              and sides that are multiples of 32. The input is the picture with the border that the JSON file states,
              each byte minus 128.
            - `"int16x8"`: INT8 weights and INT16 activations.
        input_size: `(height, width)` in pixels, unless `resizable` the only size that the file accepts. Multiples of
            32 need the least memory.
        input: Data type of the input.
        output: What the file outputs.
            - `"labels"`: class indices at a quarter of the size, int32: 64 KB at 512x512.
            - `"labels_full"`: class indices at the size of the input, int32, computed from upsampled logits.
            - `"logits"`: logits at a quarter of the size, float32.
            - `"probabilities"`: their softmax, for MediaPipe Tasks and the Task Library.
        calibration: Some dozen images that are similar to what the model will see, `(H, W, 3)`, uint8, RGB, of any
            size, or paths of image files, whose names the report then shows. Integer precisions other than
            `"dynamic"` need them. Every fourth image is held out: the fidelity of the file is measured on these.
        report: Whether to write the report.
        batch_size: Number of images that the file takes at once; it accepts no other. Row tiles are chosen for all of
            them together.
        resizable: Whether the runtime can set another size before it runs the file (`resize_tensor_input` in Python,
            `resizeInput` on Android). Such a file starts with `input_size`, has no row tiles, and suits CPUs alone.
        tiles: Whether large tensors are computed in row tiles, which saves memory and, on CPUs, time. `False` gives
            fewer operations, for accelerators.
        save_memory: Whether to choose the tiles that need the least memory, for static INT8 as well.
        recipe: The recipe of an integer precision to apply instead of searching for one, or a JSON file that contains
            it, such as the one beside an earlier file.
        runtime: The runtime that a file with the precision `"int8"` is for: LiteRT, or TF Lite up to 2.16, which has no
            fast kernels for dynamic INT8; a file of any precision that needs a newer one is then refused. For
            `"int8_mcu"`, `"ethos-u"` gives operations that this NPU has, instead of the fewest.
        client: What will read the file, such as `"mediapipe"`; `options_for` gives the arguments that suit it. Outputs
            that it would misread are refused.
        target: The least mean agreement with the float network that the search for a recipe has to reach, greater than
            0 and at most 1; `None` for the default of the precision.
        fine_tune_steps: For how many steps, with one image each, the weights of an integer precision are trained such
            that rounding them changes the outputs little. This pays
            off for recipes with 4-bit weights.
        measure_times: Whether the search for an `"int8"` recipe measures the times of layers on this machine, and
            leaves those float that are not faster in integers. By default it counts multiplications, so that the same
            arguments give the same recipe everywhere.
        half: Whether CPUs with float16 arithmetic, as in most phones since 2018, may compute the float operations of
            the file in it. Others, and GPUs, ignore the hint. Needs calibration images, on which float16 is tried.
        preset: Name of the model's preset, for the title of the report.
        bit_depth: The number of significant bits in calibration files with 16 bits a channel, if the files do not
            state it; see `keras_segformer.images.load_image`.
        progress: Called with progress updates.

    Returns:
        The content of the JSON file: the label set; kind, shape and data type of input and output; the precision; the
        operations with their versions, and the oldest runtime that supports them; the licence; a checksum of the
        weights, by which the files of one network belong together; size in bytes and
        SHA-256 of the `.tflite` file; for integer precisions, the recipe and how it was found; and with calibration
        images, how closely the file follows the model. The metadata in the file contains the same except for its size,
        its checksum, and how the recipe was found.

    Raises:
        MissingExtraError: An integer precision needs litert-quantizer, which is not installed.
        FileNotFoundError: The file of the recipe does not exist.
        ValueError: An argument is out of range or contradicts another, the recipe is for another network, calibration
            images are missing or cannot be used, the precision does not suit the backbone of the model, a weight is not
            finite, a backbone has an operation that TF Lite lacks, or the audit of the file finds a fault.

    Example:

    >>> import tempfile
    >>> from keras_segformer import VARIANTS, SegFormer
    >>> file = Path(tempfile.mkdtemp()) / "b0.tflite"
    >>> facts = convert(SegFormer(VARIANTS["b0"]), file, input_size=(64, 96))
    >>> facts["output"]["shape"], json.loads(file.with_suffix(".json").read_text()) == facts
    ([1, 16, 24], True)
    """
    options = ConversionOptions(
        path=Path(path),
        precision=precision,
        input_size=input_size,
        batch_size=batch_size,
        resizable=resizable,
        input=input,
        output=output,
        calibration=calibration,
        report=report,
        tiles=tiles,
        save_memory=save_memory,
        recipe=recipe if isinstance(recipe, QuantizationRecipe | None) else QuantizationRecipe.load(recipe),
        runtime=runtime,
        client=client,
        target=target,
        fine_tune_steps=fine_tune_steps,
        measure_times=measure_times,
        half=half,
    )
    if bit_depth is not None and calibration is None:
        raise ValueError("The bit depth is that of calibration images, and there are none; pass some, or leave it out.")
    check_model(model)
    check_classes(options.client, options.output, model.config.num_classes)
    network = _inference_network(model, options)
    images = None if calibration is None else make_calibration(calibration, options.input_size, bit_depth)
    border = border_of(network, options.input_size) if options.is_for_microcontrollers else NO_BORDER
    content, quantization = _export(network, options, images, progress)
    if not options.is_for_microcontrollers:
        content = scale_pixels(content)
    if options.resizable:
        content = with_initial_shape(content, (options.batch_size, *options.input_size, 3))
    audited = audit(content)
    _check_audit(audited, options)
    verification = images and _verify(content, model, images, border, progress)
    facts = _describe(model, network, options, audited, verification, quantization)
    if options.half:
        facts["half"] = _try_half(content, model, images, verification, progress)
        content = with_half_hint(content)
    if options.is_for_microcontrollers:  # which have no memory for metadata
        facts = _with_integers(facts, border, content)
    else:
        content = with_metadata(content, _without_search(facts))
    facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    page = write_report(facts, audited, verification, model.label_set, preset) if options.report else None
    _write(options.path, content, facts, page)
    return facts


def _inference_network(model: SegFormerNetwork, options: ConversionOptions) -> Network:
    network = fold_all(read_network(model))
    if options.is_for_microcontrollers:
        check_network(network, options.input_size)
        return network
    if network.foreign:
        _check_foreign(options)
    if options.output in ("labels", "labels_full"):
        network = pad_classes(network)
    if options.is_quantized and not options.may_be_static:
        network = clean_registers(even_channels(center_pixels(network)))
    if options.may_round_attention:
        network = center_values(network)
    return network


def _check_foreign(options: ConversionOptions) -> None:
    """Refuses what needs the layers of the encoder."""
    others = (options.recipe, options.target, options.fine_tune_steps)
    if (options.is_quantized and options.precision != "dynamic") or any(others):
        raise ValueError(
            "A backbone that is not a MixTransformer is traced as it is, without recipes for its layers; choose the "
            "precision dynamic, float16 or float32, without recipe, target and fine-tuning."
        )


def _export(
    network: Network, options: ConversionOptions, images: Calibration | None, progress: Progress
) -> tuple[bytes, dict[str, Any] | None]:
    """The content of the file, and for integer precisions how it was quantised."""

    def make_float_file(network: Network, output: OutputKind, batch_size: int, size: tuple[int, int]) -> FloatFile:
        traced = _trace(network, options, output, batch_size, size)
        return FloatFile(export(traced.function, "float32"), traced.layers)

    if options.is_for_microcontrollers:
        return export_for_microcontrollers(network, options, images.fitting), None
    if not options.is_quantized or network.foreign:
        size = (None, None) if options.resizable else options.input_size
        traced = _trace(network, options, options.output, options.batch_size, size)
        return export(traced.function, options.precision), None
    quantization = QuantizationOptions(
        precision=options.precision,
        input_size=options.input_size,
        batch_size=options.batch_size,
        runtime=options.runtime,
        calibration=images,
        recipe=options.recipe,
        target=options.target,
        fine_tune_steps=options.fine_tune_steps,
        measure_times=options.measure_times,
    )
    return quantize_network(network, options.output, make_float_file, quantization, progress)


def _trace(
    network: Network,
    options: ConversionOptions,
    output: OutputKind,
    batch_size: int,
    size: tuple[int, int] | tuple[None, None],
) -> TracedNetwork:
    tiling = tiling_for(network, options, size, batch_size)
    return trace_network(network, size, options.input, output, tiling, batch_size)


def _check_audit(audited: Audit, options: ConversionOptions) -> None:
    if audited.faults:
        raise ValueError(
            f"The converted file would not run correctly ({'; '.join(audited.faults)}); convert with another version "
            f"of TensorFlow than {tf.__version__}."
        )
    if options.runtime == "tflite-2.16" and runtime_key(audited.minimum_runtime) >= runtime_key("2.17"):
        raise ValueError(
            f"The file needs TF Lite {audited.minimum_runtime}, which the runtime tflite-2.16 (that of the client "
            "task-library, too) is older than; choose the precision float16 or float32, or the runtime litert."
        )


def _verify(
    content: bytes, model: SegFormerNetwork, images: Calibration, border: Border, progress: Progress
) -> Verification:
    return verify_content(content, model, _held_out(images), progress, isolated=False, border=border)


def _held_out(images: Calibration) -> list[tuple[str, np.ndarray]]:
    return list(zip(images.held_out_names, images.held_out_originals, strict=True))


def _try_half(
    content: bytes, model: SegFormerNetwork, images: Calibration, verification: Verification, progress: Progress
) -> dict[str, Any]:
    """How closely the file follows the model where its float operations are computed in float16.

    Raises:
        ValueError: Not closely enough.
    """
    found = verify_content(content, model, _held_out(images), progress, half=True)
    lost = sorted(set(found.vanished) - set(verification.vanished))
    if lost or found.agreement < verification.agreement - _MAX_LOSS_OF_HALF:
        raise ValueError(
            f"In float16 the file has only {found.agreement:.2%} of the model's labels, in float32 "
            f"{verification.agreement:.2%}{f', and never {lost[0]}' if lost else ''}; leave out `half` (--half)."
        )
    return {key: value for key, value in found.to_dict().items() if key in ("agreement", "worst_agreement")}


def _describe(
    model: SegFormerNetwork,
    network: Network,
    options: ConversionOptions,
    audited: Audit,
    verification: Verification | None,
    quantization: dict[str, Any] | None,
) -> dict[str, Any]:
    """The facts of the JSON file that do not depend on the final content of the file."""
    return {
        **model_facts(model),
        "input": {
            "shape": [options.batch_size, *options.input_size, 3],
            "dtype": options.input,
            "colors": "RGB",
            "range": [0, 255],
            "resizable": options.resizable,
        },
        "output": {
            "kind": options.output,
            "shape": list(output_shape(network, options.input_size, options.output, options.batch_size)),
            "dtype": "int32" if options.output in ("labels", "labels_full") else "float32",
        },
        "precision": options.precision,
        "tiles": options.tiles and not options.resizable,
        "save_memory": options.save_memory,
        "operators": audited.operators,
        "minimum_runtime": audited.minimum_runtime,
        "fidelity": verification and verification.to_dict(),
        "quantization": quantization,
    }


def _with_integers(facts: dict[str, Any], border: Border, content: bytes) -> dict[str, Any]:
    """The facts of a file whose input and output are integers, and whose pictures have a border."""
    runner = TFLiteRunner(content, delegates=False)
    [graph_input], [graph_output] = runner.inputs, runner.outputs
    return facts | {
        "input": facts["input"] | _integers(graph_input) | {"border": border.to_dict()},
        "output": facts["output"] | _integers(graph_output),
    }


def _integers(details: TensorDetails) -> dict[str, Any]:
    fields = {"shape": list(details.shape), "dtype": details.dtype}
    return fields if not details.scale else fields | {"scale": details.scale, "zero_point": details.zero_point}


def _without_search(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts that are the same if the recipe is applied again."""
    if not facts["quantization"]:
        return facts
    searched = ("target", "search", "sensitivity")
    quantization = {name: value for name, value in facts["quantization"].items() if name not in searched}
    return facts | {"quantization": quantization}


def _write(path: Path, content: bytes, facts: dict[str, Any], page: str | None) -> None:
    """Writes the files of one conversion together; the JSON file, which has the SHA-256 of the model, comes last."""
    description = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    contents = {path: content, path.with_suffix(".json"): description.encode()}
    if page is not None:
        contents = {path.with_suffix(".html"): page.encode(), **contents}
    with atomic_files(list(contents)) as temporaries:
        for temporary, each in zip(temporaries, contents.values(), strict=True):
            write_bytes(temporary, each)
