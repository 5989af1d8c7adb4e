"""A float TF Lite file that can be quantised by recipes.

litert-quantizer inserts and merges the operations that quantise. Rounding of weights, ranges of activations and the
versions of operations are computed here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from keras_segformer.errors import MissingExtraError

from ..graph.builder import LayerRecord
from ..tflite.reader import TFLiteFile, read_tflite
from ..tflite.writer import fix_op_versions, replace_weights
from .file_layers import FileLayer, find_layers
from .quantization_recipe import QuantizationMode, QuantizationRecipe
from .ranges import activation_ranges, as_calibration
from .rounding import round_weights, weight_scales
from .statistics import Statistics

_MAX_NAMES = 3  # in an error message
_LOGITS_ROLE = "classifier"

FOLLOWERS: Mapping[str, str] = MappingProxyType(
    {
        "GELU": "contract",
        "SOFTMAX": "mixture",
        "RESHAPE": "scores",
        "STRIDED_SLICE": "scores",
        "TRANSPOSE": "scores",
    }
)
"""Operations that are quantised only in blocks where the layer with the given role is static.

In other blocks, their inputs would be quantised and their outputs dequantised only for them, which costs accuracy and
saves nothing.
"""


class FloatFile:
    """A float file with everything that is needed to quantise it by several recipes in turn.

    Args:
        content: The content of the file, in float32.
        records: The layers of the traced network that was exported to the file.
        statistics: Statistics of its tensors over the calibration images; `None` if there are none.

    Attributes:
        content: As given.
        records: As given.
        statistics: As given.
        file: The parsed operations and tensors.
        layers: The layers by their names.

    Raises:
        ValueError: The file is not the one that the traced network was exported to.
    """

    def __init__(self, content: bytes, records: tuple[LayerRecord, ...], statistics: Statistics | None = None) -> None:
        self.content, self.records, self.statistics = content, records, statistics
        self.file: TFLiteFile = read_tflite(content)
        self.layers: dict[str, FileLayer] = find_layers(self.file, records)
        self._ranges: dict[int, dict[str, dict[str, np.ndarray]]] = {}
        self._rounded_weights: dict[tuple[str, int, bool], np.ndarray] = {}

    @property
    def logits(self) -> tuple[str, ...]:
        """The names of the tensors that hold logits."""
        layers = (each for each in self.layers.values() if each.layer.role == _LOGITS_ROLE)
        return tuple(node.outputs[0].name for layer in layers for node in layer.nodes)

    def with_statistics(self, statistics: Statistics | None) -> FloatFile:
        """The same file with other statistics.

        Args:
            statistics: The statistics.

        Returns:
            The file.
        """
        return FloatFile(self.content, self.records, statistics)

    def statistics_for(self, other: FloatFile) -> Statistics | None:
        """The statistics of a file that differs in its output alone, where they follow from those of this one.

        Args:
            other: A file with the same weights.

        Returns:
            The statistics; `None` if it has tensors that this one does not have, or of other shapes.
        """
        shapes, others = (
            {name: [node.outputs[0].shape for node in layer.nodes] for name, layer in file.layers.items()}
            for file in (self, other)
        )
        if self.statistics is None or shapes != others:
            return None
        # The output of a file has a name of its own.
        own_names = dict(zip(other.logits, self.logits, strict=True))
        names = {tensor.name for tensor in other.file.tensors if tensor.type == "FLOAT32" and not tensor.constant}
        known = {name: self.statistics.values.get(own_names.get(name, name)) for name in names}
        if any(values is None for values in known.values()):
            return None
        scored = {name: self.statistics.logits[own_names[name]] for name in other.logits if self.statistics.logits}
        return dataclasses.replace(self.statistics, values=known, logits=scored)

    def with_output_of(self, other: FloatFile, statistics: Statistics) -> FloatFile:
        """The same network with the output, the batch size and the input size of another file.

        Args:
            other: A file with the same weights.
            statistics: Those of its tensors. Its Gram matrices are those of this file.

        Returns:
            The other file, whose weights are rounded as in this file.
        """
        gram_matrices = self.statistics and self.statistics.gram_matrices
        result = other.with_statistics(self.statistics and dataclasses.replace(statistics, gram_matrices=gram_matrices))
        result._rounded_weights = self._rounded_weights
        return result

    def check(self, recipe: QuantizationRecipe) -> None:
        """Check that a recipe can be applied.

        Args:
            recipe: The recipe.

        Raises:
            ValueError: The recipe names layers that the file does not have, leaves some out, or has a mode that a layer
                cannot have.
        """
        unknown = [name for name in recipe.layers if name not in self.layers]
        missing = [name for name in self.layers if name not in recipe.layers]
        for names, problem in (
            (unknown, "is for layers that this network does not have"),
            (missing, "leaves out layers"),
        ):
            if names:
                raise ValueError(
                    f"The recipe {problem}: {_listing(names)}; use a recipe that was made for a network with the same "
                    "layers."
                )
        for name, mode in recipe.layers.items():
            if mode == "dynamic" and not self.layers[name].has_weights:
                raise ValueError(f"The layer '{name}' has no weights, so its mode must be 'static' or 'float'.")

    def quantize(self, recipe: QuantizationRecipe, fix_versions: bool = True) -> bytes:
        """Quantise the file.

        Args:
            recipe: How.
            fix_versions: Whether operations get the versions that their tensors require. Files that only run here
                do without, which takes less time.

        Returns:
            The content of the quantised file.

        Raises:
            ValueError: The recipe cannot be applied, or it needs calibration images and there are no statistics.
            MissingExtraError: litert-quantizer is not installed.
        """
        self.check(recipe)
        if recipe.needs_calibration and self.statistics is None:
            raise ValueError("The recipe needs calibration images; pass some dozen typical images.")
        selections = list(_selections(recipe, self.layers))
        if not selections:
            return self.content
        ranges = self._calibration(recipe.activation_bits) if recipe.is_static else None
        content = _run_quantizer(self.content, selections, recipe, ranges)
        if recipe.rounding != "nearest":
            content = self._with_rounded_weights(content, recipe)
        return fix_op_versions(content) if fix_versions else content

    def _calibration(self, bits: int) -> dict[str, dict[str, np.ndarray]]:
        if bits not in self._ranges:
            self._ranges[bits] = as_calibration(activation_ranges(self.statistics, self.file, bits))
        return self._ranges[bits]

    def _with_rounded_weights(self, content: bytes, recipe: QuantizationRecipe) -> bytes:
        """Replaces the weights, which litert-quantizer rounds to the nearest integers."""
        weights = {}
        for layer in self.layers.values():
            if layer.operator == "CONV_2D" and recipe.layers[layer.name] != "float":
                integers = _packed(self._round(layer, recipe), recipe.bits)
                weights |= dict.fromkeys((node.inputs[1].name for node in layer.nodes), integers)
        return replace_weights(content, weights)

    def _round(self, layer: FileLayer, recipe: QuantizationRecipe) -> np.ndarray:
        key = (layer.name, recipe.bits, recipe.per_channel)
        if key not in self._rounded_weights:
            kernel = layer.kernel.reshape(len(layer.kernel), -1)  # (out, height * width * in)
            scales = weight_scales(kernel, recipe.bits, recipe.per_channel)
            gram_matrix = self.statistics.gram_matrices[layer.name]
            self._rounded_weights[key] = round_weights(kernel, scales, gram_matrix, recipe.bits)
        return self._rounded_weights[key]


class _Selection(NamedTuple):
    """Operations to be quantised in the same way.

    Args:
        pattern: A regular expression that matches the names of their outputs.
        operator: Their name in the schema of TF Lite.
        mode: Their quantisation mode.
    """

    pattern: str
    operator: str
    mode: QuantizationMode


def _selections(recipe: QuantizationRecipe, layers: Mapping[str, FileLayer]) -> Iterator[_Selection]:
    """All operations that a recipe quantises. Later selections override earlier ones."""
    for operator, mode in recipe.operators.items():
        if operator not in FOLLOWERS:
            yield _Selection(".*", operator, mode)
            continue
        for name, layer_mode in recipe.layers.items():
            layer = layers[name].layer
            if layer_mode == "static" and layer.role == FOLLOWERS[operator]:
                # Outputs are named after TensorFlow's operations, whose names have no underscores ("StridedSlice").
                kind = f"(?i:{operator.replace('_', '')}|{operator})"
                yield _Selection(f"(^|;){re.escape(layer.block + '/')}{kind}", operator, mode)
    for name, mode in recipe.layers.items():
        if mode != "float":
            yield _Selection(layers[name].output_pattern, layers[name].operator, mode)


def _run_quantizer(
    content: bytes,
    selections: Iterable[_Selection],
    recipe: QuantizationRecipe,
    ranges: dict[str, dict[str, np.ndarray]] | None,
) -> bytes:
    package = _litert_quantizer()
    quantizer = package.quantizer.Quantizer(content)
    granularity = package.qtyping.QuantGranularity["CHANNELWISE" if recipe.per_channel else "TENSORWISE"]
    for pattern, operator, mode in selections:
        if operator not in package.qtyping.TFLOperationName.__members__:
            raise ValueError(f"The recipe quantises '{operator}', which is not an operation that can be quantised.")
        operation = package.qtyping.TFLOperationName[operator]
        if mode == "static":
            bits = (recipe.activation_bits, recipe.bits)
            quantizer.add_static_config(pattern, operation, *bits, weight_granularity=granularity)
        else:
            quantizer.add_dynamic_config(pattern, operation, recipe.bits, granularity=granularity)
    # It prints progress bars and a summary, and creates an interpreter in a way that is deprecated.
    with (
        warnings.catch_warnings(action="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        result = quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _litert_quantizer() -> Any:
    try:
        for module in ("quantizer", "qtyping"):
            importlib.import_module(f"litert_quantizer.{module}")
        return importlib.import_module("litert_quantizer")
    except ModuleNotFoundError as error:
        raise MissingExtraError("litert_quantizer", "mobile") from error


def _packed(integers: np.ndarray, bits: int) -> np.ndarray:
    """The integers as the file stores them: 4-bit integers in pairs, the first in the lower half of a byte."""
    flat = integers.ravel().view(np.uint8)
    if bits > 4:
        return flat
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8)) & 15
    return flat[::2] | flat[1::2] << 4


def _listing(names: list[str]) -> str:
    shown, rest = ", ".join(names[:_MAX_NAMES]), len(names) - _MAX_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown
