"""What a network costs on a microcontroller, and what it scores there."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.analysis import count_complexity
from keras_segformer.data.examples import Examples
from keras_segformer.evaluation import TFLiteModel, evaluate
from keras_segformer.models import SegFormerNetwork
from keras_segformer.runtime.micro_runner import Arena, micro_arena

from ..choices import Runtime
from ..convert import convert
from ..tflite.reader import Tensor, read_tflite
from .vela import EthosUReport, compile_for_ethos_u

_BYTES = {"INT8": 1, "UINT8": 1, "INT32": 4}


@dataclasses.dataclass(frozen=True, kw_only=True)
class MicroPoint:
    """A network at one size, as a file of the precision `int8_mcu`.

    Args:
        name: Its name.
        size: `(height, width)` of the picture in pixels.
        parameters: Number of trainable parameters.
        macs: Multiply-accumulates of a picture.
        flash_bytes: Size of the file.
        arena: The memory that TF Lite Micro needs for it.
        least_bytes: What any order of its operations and any placement of its tensors needs at least, without the
            descriptions of tensors and operations.
        mean_iou: Mean IoU of the network in float32; `None` if it was not scored.
        file_mean_iou: Mean IoU of the file in TF Lite Micro.
        ethos_u: What vela reports about the file for Ethos-U; `None` if it was not compiled.
    """

    name: str
    size: tuple[int, int]
    parameters: int
    macs: int
    flash_bytes: int
    arena: Arena
    least_bytes: int
    mean_iou: float | None = None
    file_mean_iou: float | None = None
    ethos_u: EthosUReport | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON stores them, with the whole arena as `arena_bytes`."""
        return dataclasses.asdict(self) | {"arena_bytes": self.arena.total}


def measure_micro(
    model: SegFormerNetwork,
    name: str,
    size: tuple[int, int],
    calibration: Iterable[Any],
    examples: Examples | None = None,
    antialias: bool = False,
    accelerator: str | None = None,
) -> MicroPoint:
    """Convert a network for microcontrollers, and measure the file in TF Lite Micro.

    Args:
        model: The network, without GELU.
        name: What it is called.
        size: `(height, width)` of the picture in pixels, multiples of 32.
        calibration: The calibration pictures, as for `convert`.
        examples: What network and file are scored on; `None` for no scores.
        antialias: Whether pictures are resized with antialiasing to be scored.
        accelerator: The Ethos-U that the network is compiled for too, such as `"ethos-u55-128"`; `None` for none.

    Returns:
        The figures.

    Raises:
        MissingExtraError: ethos-u-vela is needed, and not installed.
        ValueError: The network cannot be converted, or tflite-micro is not installed.

    Example:

    ```python
    measure_micro(model, "micro", (96, 96), find_images("photos/")).arena.total
    ```
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"

        def convert_for(runtime: Runtime) -> bytes:
            options = {"output": "logits", "runtime": runtime, "calibration": calibration, "report": False}
            convert(model, path, "int8_mcu", size, **options)
            return path.read_bytes()

        compiled = compile_for_ethos_u(convert_for("ethos-u"), accelerator) if accelerator else None
        content = convert_for("litert")
        total = count_complexity(model.config, size).total
        point = MicroPoint(
            name=name,
            size=size,
            parameters=total.parameters,
            macs=total.macs,
            flash_bytes=len(content),
            arena=micro_arena(content),
            least_bytes=least_bytes(content),
            ethos_u=compiled,
        )
        if examples is None:
            return point
        file = TFLiteModel(path, microcontroller=True)
        before = evaluate(model, examples, size=size, antialias=antialias)
        after = evaluate(file, examples, antialias=antialias)
    return dataclasses.replace(point, mean_iou=before.scores.mean_iou, file_mean_iou=after.scores.mean_iou)


def least_bytes(content: bytes) -> int:
    """A lower bound of the memory for the tensors of a file.

    While an operation runs, its inputs and outputs exist at once, so the operation with the most of them is a bound for
    every order of operations and every placement of tensors.

    Args:
        content: A file of the precision `int8_mcu`.

    Returns:
        The bytes of the inputs and outputs, without weights, of that operation.
    """
    nodes = read_tflite(content).nodes
    return max(sum(map(_bytes, {*filter(None, node.inputs), *node.outputs})) for node in nodes)


def _bytes(tensor: Tensor) -> int:
    return 0 if tensor.constant else int(np.prod(tensor.shape)) * _BYTES[tensor.type]
