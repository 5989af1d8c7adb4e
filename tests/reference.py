"""The mathematics of the layers, written out in NumPy."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows(x: np.ndarray, kernel: int, stride: int, padding: int) -> np.ndarray:
    """What a convolution sees of `(B, H, W, C)`: `(B, rows, columns, kernel, kernel, C)`."""
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    seen = sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
    return np.moveaxis(seen, 3, -1)


def convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """A convolution with a kernel `(k, k, in, out)`."""
    return np.einsum("bhwklc,klcd->bhwd", windows(x, len(kernel), stride, padding), kernel) + bias


def depthwise_convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, padding: int) -> np.ndarray:
    """A convolution of every channel alone with a kernel `(k, k, channels)`."""
    return np.einsum("bhwklc,klc->bhwc", windows(x, len(kernel), 1, padding), kernel) + bias


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> np.ndarray:
    """Layer normalisation over the channels."""
    deviation = x - x.mean(axis=-1, keepdims=True)
    return deviation / np.sqrt((deviation**2).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta


def gelu(x: np.ndarray) -> np.ndarray:
    """`x Phi(x)` with the normal distribution's exact distribution function."""
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def softmax(x: np.ndarray) -> np.ndarray:
    """Softmax over the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def attention(query: np.ndarray, key: np.ndarray, value: np.ndarray, num_heads: int) -> np.ndarray:
    """Multi-head attention of `(B, N, C)` to `(B, M, C)`."""
    heads = []
    for q, k, v in zip(*(np.split(x, num_heads, axis=-1) for x in (query, key, value)), strict=True):
        weights = softmax(q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1]))  # (B, N, M)
        heads.append(weights @ v)
    return np.concatenate(heads, axis=-1)


def bilinear_resize(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear resize of `(B, H, W, C)` with half-pixel centres, pixel by pixel."""
    resized = np.empty((len(x), *size, x.shape[-1]))
    for row in range(size[0]):
        for column in range(size[1]):
            top, bottom, down = _neighbours(row, x.shape[1], size[0])
            left, right, across = _neighbours(column, x.shape[2], size[1])
            upper = x[:, top, left] * (1 - across) + x[:, top, right] * across
            lower = x[:, bottom, left] * (1 - across) + x[:, bottom, right] * across
            resized[:, row, column] = upper * (1 - down) + lower * down
    return resized


def _neighbours(index: int, source: int, target: int) -> tuple[int, int, float]:
    """The two source positions around a target position, and the weight of the second."""
    position = min(max((index + 0.5) * source / target - 0.5, 0), source - 1)
    low = math.floor(position)
    return low, min(low + 1, source - 1), position - low
