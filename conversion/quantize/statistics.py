"""Statistics of the tensors of a float file over the calibration images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np

from keras_segformer.runtime import TFLiteRunner

from ..tflite.outputs import with_outputs
from ..tflite.reader import TFLiteFile
from .file_layers import FileLayer

_SAMPLES_PER_IMAGE = 1024  # values of each tensor
_POSITIONS_PER_IMAGE = 4096  # for each Gram matrix
_LOGITS_PER_IMAGE = 256  # positions, of all classes each


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statistics:
    """The statistics of a file.

    Args:
        gram_matrices: `x.T @ x` of the inputs `x` of each convolution at some positions, by the name of its layer:
            `(inputs, inputs)`, where the inputs are in the order of the kernel's axes `(height, width, in)`.
        values: A random sample of the values of each float activation, with their extremes, by the name of the tensor;
            1-D; empty if none were sampled.
        logits: The logits at some positions, `(positions, classes)`, by the name of the tensor; empty if the file is to
            keep their values, and not only the probabilities that follow from them.
    """

    gram_matrices: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    logits: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def collect_statistics(
    content: bytes,
    file: TFLiteFile,
    layers: Iterable[FileLayer],
    images: np.ndarray,
    on_image: Callable[[], None] | None = None,
    *,
    with_values: bool = True,
    logits: Collection[str] = (),
) -> Statistics:
    """Run a file on the calibration images.

    Args:
        content: The content of the file, in float32.
        file: Its parsed operations and tensors.
        layers: The layers to compute Gram matrices for; those that are not convolutions are ignored.
        images: `(images, height, width, 3)` at the size of the file's input, uint8.
        on_image: Called after each image.
        with_values: Whether values of activations are sampled, which takes most of the time.
        logits: Names of the tensors that hold logits, if only the probabilities that follow from them matter.

    Returns:
        The statistics.
    """
    if not with_values:
        return Statistics(gram_matrices=_gram_matrices(content, layers, images, on_image), values={})
    # Preserving all tensors also keeps delegates from replacing operations.
    runner = TFLiteRunner(content, keep_tensors=True)
    indices = runner.tensor_indices()
    convolutions = [layer for layer in layers if layer.operator == "CONV_2D"]
    names = [tensor.name for tensor in file.tensors if tensor.type == "FLOAT32" and not tensor.constant]
    generator = np.random.default_rng(0)
    gram_matrices: dict[str, np.ndarray] = {}
    values: dict[str, list[np.ndarray]] = {name: [] for name in names}
    rows: dict[str, list[np.ndarray]] = {name: [] for name in logits}
    for image in images:
        # A file for several images sees the same one several times, so that each counts the same.
        runner(np.repeat(image[None], runner.inputs[0].shape[0], axis=0))
        _add_gram_matrices(gram_matrices, convolutions, lambda name: runner.read_tensor(indices[name]))
        for name in names:
            values[name].append(_sample(runner.read_tensor(indices[name]), generator))
        for name in logits:
            tensor = runner.read_tensor(indices[name])
            positions = tensor.reshape(-1, tensor.shape[-1])  # (B * h * w, classes)
            rows[name].append(generator.choice(positions, min(len(positions), _LOGITS_PER_IMAGE), replace=False))
        if on_image:
            on_image()
    return Statistics(gram_matrices=gram_matrices, values=_joined(values), logits=_joined(rows))


def _gram_matrices(
    content: bytes, layers: Iterable[FileLayer], images: np.ndarray, on_image: Callable[[], None] | None
) -> dict[str, np.ndarray]:
    """The Gram matrices alone, by a file that outputs what the convolutions read, which delegates may run."""
    convolutions = [layer for layer in layers if layer.operator == "CONV_2D"]
    names = list(dict.fromkeys(node.inputs[0].name for layer in convolutions for node in layer.nodes))
    runner = TFLiteRunner(with_outputs(content, names))
    gram_matrices: dict[str, np.ndarray] = {}
    for image in images:
        maps = dict(zip(names, runner(image[None]), strict=True))
        _add_gram_matrices(gram_matrices, convolutions, maps.__getitem__)
        if on_image:
            on_image()
    return gram_matrices


def _add_gram_matrices(
    gram_matrices: dict[str, np.ndarray], convolutions: Iterable[FileLayer], read: Callable[[str], np.ndarray]
) -> None:
    """Adds those of one image. Layers that read the same, as keys and values do, share the product."""
    products: dict[tuple[Any, ...], np.ndarray] = {}
    for layer in convolutions:
        _, height, width, _ = layer.kernel.shape
        strides = tuple(node.options.get("strideH", 1) for node in layer.nodes)
        key = (height, width, strides, *(node.inputs[0].name for node in layer.nodes))
        if key not in products:
            maps = [read(node.inputs[0].name)[0] for node in layer.nodes]
            windows = [_some_windows(x, height, width, stride) for x, stride in zip(maps, strides, strict=True)]
            inputs = np.concatenate(windows)  # (positions, inputs): what the kernel is multiplied by
            products[key] = inputs.T @ inputs
        if layer.name in gram_matrices:
            gram_matrices[layer.name] += products[key]
        else:
            gram_matrices[layer.name] = products[key].copy()


def _some_windows(x: np.ndarray, height: int, width: int, stride: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(0, 1))[::stride, ::stride]
    rows, columns = windows.shape[:2]
    positions = np.arange(rows * columns)
    if len(positions) > _POSITIONS_PER_IMAGE:
        positions = np.random.default_rng(0).choice(positions, _POSITIONS_PER_IMAGE, replace=False)
    chosen = windows[positions // columns, positions % columns]  # (positions, in, height, width)
    return chosen.transpose(0, 2, 3, 1).reshape(len(positions), height * width * x.shape[-1])


def _joined(arrays: Mapping[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate(each) for name, each in arrays.items()}


def _sample(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    values = values.ravel()
    chosen = values if values.size <= _SAMPLES_PER_IMAGE else generator.choice(values, _SAMPLES_PER_IMAGE)
    return np.concatenate([chosen, [values.min(), values.max()]], dtype=np.float32)
