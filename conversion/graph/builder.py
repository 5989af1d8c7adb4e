"""Adds the layers of a network to the TensorFlow graph, and records where each of them went."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from .network import Affine, Convolution, DepthwiseConvolution, Layer, Linear, Product
from .operations import constant
from .tiles import Tiling


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerRecord:
    """A layer of a TensorFlow graph.

    Args:
        layer: The layer: its name, its place in the network and its weights.
        scopes: The name scopes of its operations, such as `"stage1/block2/query_1"`; one for each row tile that the
            layer is computed in.
        computes_output: Whether its result is the output of the graph.
    """

    layer: Layer
    scopes: tuple[str, ...]
    computes_output: bool = False


class GraphBuilder:
    """Computes layers on feature maps `(B, H, W, C)`, each in a name scope that is recorded.

    TensorFlow makes repeated scopes unique by appending a number, so the names of operations alone do not tell which
    layer they belong to.

    Args:
        tiling: How many values may be computed at once.
    """

    def __init__(self, tiling: Tiling) -> None:
        self.tiling = tiling
        self._scopes: dict[str, list[str]] = {}
        self._layers: dict[str, Layer] = {}

    @property
    def records(self) -> tuple[LayerRecord, ...]:
        """The layers computed so far, in the order of their first use."""
        return tuple(LayerRecord(layer=layer, scopes=tuple(self._scopes[name])) for name, layer in self._layers.items())

    def apply(self, x: tf.Tensor, layer: Linear | Convolution | DepthwiseConvolution | Affine | None) -> tf.Tensor:
        """Compute a layer that has weights.

        Linear maps are computed as 1x1 convolutions, for which every target has a fast kernel, and affine maps as 1x1
        depthwise convolutions, which are one operation instead of two.

        Args:
            x: `(B, H, W, in)`, float32.
            layer: The layer; `None` is the identity.

        Returns:
            `(B, height, width, out)`; the size changes only if the layer has a stride.
        """
        match layer:
            case None:
                return x
            case Linear():
                return self._convolve(x, layer, layer.kernel[None, None], stride=1)
            case Convolution():
                return self._convolve(_padded(x, layer), layer, layer.kernel, layer.stride)
            case DepthwiseConvolution():
                return self._convolve_depthwise(x, layer, layer.kernel, layer.bias)
            case Affine():
                return self._convolve_depthwise(x, layer, layer.gamma[None, None, :, None], layer.beta)

    def multiply(self, first: tf.Tensor, second: tf.Tensor, layer: Product, transpose_b: bool = False) -> tf.Tensor:
        """Multiply two stacks of matrices.

        Args:
            first: `(B, heads, N, K)`, float32.
            second: `(B, heads, K, M)`, or `(B, heads, M, K)` if `transpose_b`.
            layer: The name of the product.
            transpose_b: Whether to transpose the second matrices.

        Returns:
            `(B, heads, N, M)`.
        """
        with self._scope(layer):
            return tf.matmul(first, second, transpose_b=transpose_b)

    def _convolve(self, x: tf.Tensor, layer: Linear | Convolution, kernel: np.ndarray, stride: int) -> tf.Tensor:
        with self._scope(layer):
            return tf.nn.conv2d(x, constant(kernel), stride, "VALID") + constant(layer.bias)

    def _convolve_depthwise(self, x: tf.Tensor, layer: Layer, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
        with self._scope(layer):
            return tf.nn.depthwise_conv2d(x, constant(kernel), (1, 1, 1, 1), "SAME") + constant(bias)

    @contextlib.contextmanager
    def _scope(self, layer: Layer) -> Iterator[None]:
        # The empty scope leaves those that the caller is in, so that scopes are named as the layers are.
        with tf.name_scope(""), tf.name_scope(layer.name) as scope:
            self._layers.setdefault(layer.name, layer)
            self._scopes.setdefault(layer.name, []).append(scope.removesuffix("/"))
            yield


def _padded(x: tf.Tensor, layer: Convolution) -> tf.Tensor:
    padding = layer.padding
    if layer.border is None:
        if not padding:
            return x
        # Explicit padding instead of "SAME", whose padding depends on the input size if the stride is not 1.
        return tf.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    batch, height, width, _ = x.shape
    below, right = (_padding_after(length, layer) for length in (height, width))
    middle = (_filled((batch, height, padding), layer.border), x, _filled((batch, height, right), layer.border))
    columns = padding + width + right
    bottom = _filled((batch, below, columns), layer.border)
    if layer.limits is not None:
        row = np.resize(layer.limits, (batch, 1, columns, x.shape[-1]))
        bottom = np.concatenate((bottom, row), axis=1)
    rows = (_filled((batch, padding, columns), layer.border), _join(middle, axis=2), bottom)
    return _join(rows, axis=1)


def _padding_after(length: int, layer: Convolution) -> int:
    """The padding at the end that windows see, so that a row after it makes no more of them."""
    kernel = layer.kernel.shape[0]
    seen = (length + 2 * layer.padding - kernel) // layer.stride * layer.stride + kernel
    return max(0, seen - length - layer.padding)


def _filled(shape: tuple[int, ...], values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values, (*shape, len(values)))


def _join(parts: tuple[np.ndarray | tf.Tensor, ...], axis: int) -> tf.Tensor:
    return tf.concat([constant(part) for part in parts if part.shape[axis]], axis)
