"""A float file quantised by a recipe.

litert-quantizer inserts and merges the operations that quantise; the integers of the weights, the ranges and the
versions are ours.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import re
import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from keras_segformer.errors import MissingExtraError

from ..tflite.reader import TFLiteFile, read_tflite
from ..tflite.writer import fix_op_versions, pack, unpack
from .layers import Layer, find_layers
from .quantization_recipe import Form, Recipe
from .ranges import activation_ranges, as_calibration
from .rounding import round_weights, weight_scales
from .statistics import Statistics

_WITH_STATIC_OPERANDS_ONLY = ("BATCH_MATMUL",)

FOLLOWERS: Mapping[str, str] = MappingProxyType(
    {
        "GELU": "contract",
        "SOFTMAX": "mixture",
        "RESHAPE": "scores",
        "STRIDED_SLICE": "scores",
        "TRANSPOSE": "scores",
    }
)
"""Operations that are quantised only in blocks in which the named layer is static.

Elsewhere their integers would be made and unmade for nothing, at the cost of accuracy.
"""


class FloatFile:
    """A float file with all that quantising it by one recipe after the other needs.

    Args:
        content: The file, in float32.
        statistics: What its tensors hold on the calibration images; `None` where there are none.

    Attributes:
        file: The file, read.
        layers: Its layers by their names.
        statistics: As given.
    """

    def __init__(self, content: bytes, statistics: Statistics | None = None) -> None:
        self.content = content
        self.file: TFLiteFile = read_tflite(content)
        self.layers: dict[str, Layer] = find_layers(self.file)
        self.statistics = statistics
        self._ranges: dict[int, dict[str, dict[str, np.ndarray]]] = {}
        self._integers: dict[tuple[str, int, bool], np.ndarray] = {}

    def quantize(self, recipe: Recipe) -> bytes:
        """Quantise it.

        Args:
            recipe: How.

        Returns:
            The file, with true versions.

        Raises:
            ValueError: The recipe names a layer that is not there, or leaves one out, or needs calibration images and
                there are none.
            MissingExtraError: litert-quantizer is not installed.
        """
        self._check(recipe)
        configurations = list(_configurations(recipe, self.layers))
        if not configurations:
            return self.content
        ranges = self._calibration(recipe.activation_bits) if recipe.is_static else None
        content = _run_quantizer(self.content, configurations, recipe, ranges)
        if recipe.rounding != "nearest":
            content = self._with_better_weights(content, recipe)
        return fix_op_versions(content)

    def with_output(self, content: bytes, values: Mapping[str, np.ndarray]) -> FloatFile:
        """The same network with another output.

        Args:
            content: The file, in float32.
            values: What its tensors hold on the calibration images.

        Returns:
            A file whose weights are rounded as those of this one.
        """
        other = FloatFile(content, self.statistics and dataclasses.replace(self.statistics, values=values))
        other._integers = self._integers
        return other

    def _check(self, recipe: Recipe) -> None:
        if set(recipe.layers) != set(self.layers):
            different = sorted(set(recipe.layers) ^ set(self.layers))
            raise ValueError(
                f"The recipe is for another network: {', '.join(different[:3])} and perhaps more are in one of both "
                "alone. Name a recipe of a model of the same size."
            )
        if recipe.needs_calibration and self.statistics is None:
            raise ValueError("There are no calibration images; name a folder of some dozen typical pictures.")

    def _calibration(self, bits: int) -> dict[str, dict[str, np.ndarray]]:
        if bits not in self._ranges:
            self._ranges[bits] = as_calibration(activation_ranges(self.statistics, self.file, bits))
        return self._ranges[bits]

    def _with_better_weights(self, content: bytes, recipe: Recipe) -> bytes:
        model = unpack(content)
        tensors = {tensor.name.decode(): tensor for tensor in model.subgraphs[0].tensors}
        for layer in self.layers.values():
            if layer.operator == "CONV_2D" and recipe.layers[layer.name] != "float":
                integers = self._rounded(layer, recipe)
                for name in {node.inputs[1].name for node in layer.nodes}:
                    model.buffers[tensors[name].buffer].data = _packed(integers, recipe.bits)
        return pack(model)

    def _rounded(self, layer: Layer, recipe: Recipe) -> np.ndarray:
        key = (layer.name, recipe.bits, recipe.per_channel)
        if key not in self._integers:
            kernel = layer.kernel.reshape(len(layer.kernel), -1)  # (out, height width in)
            scales = weight_scales(kernel, recipe.bits, recipe.per_channel)
            products = self.statistics.products[layer.name]
            self._integers[key] = round_weights(kernel, scales, products, recipe.bits)
        return self._integers[key]


def _configurations(recipe: Recipe, layers: Mapping[str, Layer]) -> Iterable[tuple[str, str, Form]]:
    """Pattern, operation and form of all that is quantised. Later ones win."""
    for operator, form in recipe.operators.items():
        leader = FOLLOWERS.get(operator)
        if leader is None:
            yield ".*", operator, form
            continue
        leaders = [name for name, own in recipe.layers.items() if own == "static" and name.endswith(f"/{leader}")]
        for name in leaders:
            block = name.removesuffix(leader)
            yield f"(^|;){re.escape(block)}(?i:{operator.replace('_', '')}|{operator})", operator, form
    for name, form in recipe.layers.items():
        layer = layers[name]
        if form == "dynamic" and layer.operator in _WITH_STATIC_OPERANDS_ONLY:
            raise ValueError(f"The layer {name} has no weights, so it can be 'static' or 'float', not 'dynamic'.")
        if form != "float":
            yield layer.pattern, layer.operator, form


def _run_quantizer(
    content: bytes,
    configurations: Iterable[tuple[str, str, Form]],
    recipe: Recipe,
    ranges: dict[str, dict[str, np.ndarray]] | None,
) -> bytes:
    package = _litert_quantizer()
    quantizer = package.quantizer.Quantizer(content)
    granularity = package.qtyping.QuantGranularity["CHANNELWISE" if recipe.per_channel else "TENSORWISE"]
    for pattern, operator, form in configurations:
        operation = package.qtyping.TFLOperationName[operator]
        if form == "static":
            bits = (recipe.activation_bits, recipe.bits)
            quantizer.add_static_config(pattern, operation, *bits, weight_granularity=granularity)
        else:
            quantizer.add_dynamic_config(pattern, operation, recipe.bits, granularity=granularity)
    # It prints bars and a summary, and makes an interpreter in a way that warns.
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
    """The integers as the file holds them: two to a byte where they have 4 bits, the first in the lower half."""
    flat = integers.ravel().view(np.uint8)
    if bits > 4:
        return flat
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8)) & 15
    return flat[::2] | flat[1::2] << 4
