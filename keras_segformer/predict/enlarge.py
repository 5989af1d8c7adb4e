"""From logits at a quarter of the size to labels or probabilities at the picture's own size.

The logits are enlarged bilinearly before classes are compared, as the paper does, but never all at once: enlarged to
683x512 pixels, 150 classes take 210 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from keras_segformer.predict.interpolation import Interpolation, interpolate, interpolation, mix
from keras_segformer.predict.sizes import Size

MAX_VALUES = 2**21
"""The most enlarged logits that are held at once: 8 MB."""


def enlarge_argmax(bands: Iterable[np.ndarray], grid: Size, size: Size) -> np.ndarray:
    """Finds the class of the largest enlarged logit at every pixel.

    Only pixels whose four neighbours in the grid differ in class are computed. Where they agree, the logit of their
    class is the largest at each of them, hence in every mixture with non-negative weights. (Enlarging only the classes
    that win at some grid point would be wrong: a class that is second best at two neighbours can be the best between
    them.)

    Args:
        bands: From top to bottom, arrays `(rows, w, classes)`, float32, which together are the logits.
        grid: `(h, w)` of all bands together.
        size: `(height, width)` of the label map in pixels.

    Returns:
        `(height, width)`, int32.

    Example:

    >>> enlarge_argmax([np.eye(2, dtype=np.float32)[None]], grid=(1, 2), size=(2, 4)).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    labels = np.empty(size, np.int32)
    for rows, block, vertical, horizontal in _pieces(bands, grid, size):
        labels[rows] = _winners(block, vertical, horizontal)
    return labels


def enlarge_softmax(bands: Iterable[np.ndarray], grid: Size, size: Size) -> np.ndarray:
    """Computes the probability of every class at every pixel: the softmax of the enlarged logits.

    Args:
        bands: From top to bottom, arrays `(rows, w, classes)`, float32, which together are the logits.
        grid: `(h, w)` of all bands together.
        size: `(height, width)` of the result in pixels.

    Returns:
        `(height, width, classes)`, float32, summing to 1 at every pixel.

    Example:

    >>> enlarge_softmax([np.zeros((1, 1, 2), np.float32)], grid=(1, 1), size=(1, 2)).tolist()
    [[[0.5, 0.5], [0.5, 0.5]]]
    """
    probabilities: np.ndarray | None = None
    for rows, block, vertical, horizontal in _pieces(bands, grid, size):
        if probabilities is None:
            probabilities = np.empty((*size, block.shape[2]), np.float32)
        probabilities[rows] = _softmax(interpolate(block, vertical, horizontal))
    return probabilities


def enlarge_mean_argmax(maps: Sequence[tuple[Iterable[np.ndarray], Size]], size: Size) -> np.ndarray:
    """Finds the class of the largest mean probability at every pixel, over several maps of logits of one picture.

    The mean is over the softmax of the enlarged logits, as in mmsegmentation's `aug_test`. It is taken row by row, so
    that the enlarged logits are never in memory at once.

    Args:
        maps: Pairs `(bands, grid)`, the arguments of `enlarge_argmax`, of the same classes.
        size: `(height, width)` of the label map in pixels.

    Returns:
        `(height, width)`, int32.

    Example:

    >>> left, right = (np.array([[[*logits]]], np.float32) for logits in [(0, 1), (3, 0)])
    >>> enlarge_mean_argmax([([left], (1, 1)), ([right], (1, 1))], size=(1, 2)).tolist()
    [[0, 0]]
    """
    labels = np.empty(size, np.int32)
    rows = zip(*(_softmax_rows(bands, grid, size) for bands, grid in maps), strict=True)
    for row, probabilities in enumerate(rows):
        labels[row] = sum(probabilities).argmax(axis=-1)
    return labels


def _softmax_rows(bands: Iterable[np.ndarray], grid: Size, size: Size) -> Iterator[np.ndarray]:
    """Yields the probabilities `(width, classes)` of every row of pixels, from top to bottom."""
    for _, block, vertical, horizontal in _pieces(bands, grid, size):
        yield from _softmax(interpolate(block, vertical, horizontal))


def _pieces(
    bands: Iterable[np.ndarray], grid: Size, size: Size
) -> Iterator[tuple[slice, np.ndarray, Interpolation, Interpolation]]:
    """Yields runs of target rows, the logits `(rows, w, classes)` around them, and both interpolations of these."""
    whole, horizontal = interpolation(grid[0], size[0]), interpolation(grid[1], size[1])
    for rows, block, first_source in _row_blocks(bands, whole):
        step = max(1, MAX_VALUES // (size[1] * block.shape[2]))
        for start in range(rows.start, rows.stop, step):
            piece = slice(start, min(start + step, rows.stop))
            first, last = whole.low[piece][0], whole.high[piece][-1]
            lines = block[first - first_source : last - first_source + 1]
            yield piece, lines, whole.part(piece, first), horizontal


def _row_blocks(bands: Iterable[np.ndarray], vertical: Interpolation) -> Iterator[tuple[slice, np.ndarray, int]]:
    """Yields target rows, the logits `(rows, w, classes)` around them, and the index of the first row of these."""
    first_target, first_source = 0, 0
    block: np.ndarray | None = None
    for band in bands:
        # Target rows between two bands lie between the last row of the one above and the first of this one.
        block = band if block is None else np.concatenate([block[-1:], band])
        end_source = first_source + len(block)
        end_target = int(np.searchsorted(vertical.high, end_source))
        yield slice(first_target, end_target), block, first_source
        first_target, first_source = end_target, end_source - 1


def _winners(block: np.ndarray, vertical: Interpolation, horizontal: Interpolation) -> np.ndarray:
    """Returns the labels `(rows, columns)` of enlarged logits."""
    at_grid = block.argmax(axis=-1)
    upper, lower = at_grid[vertical.low], at_grid[vertical.high]
    labels = upper[:, horizontal.low]
    corners = (upper[:, horizontal.high], lower[:, horizontal.low], lower[:, horizontal.high])
    rows, columns = np.nonzero(np.any([labels != corner for corner in corners], axis=0))
    labels[rows, columns] = _between(block, vertical.part(rows), horizontal.part(columns)).argmax(axis=-1)
    return labels


def _between(block: np.ndarray, vertical: Interpolation, horizontal: Interpolation) -> np.ndarray:
    """Returns logits `(n, classes)` at `n` points, each with its own entry of both interpolations."""
    weight = vertical.weight[:, None]
    left = mix(block[vertical.low, horizontal.low], block[vertical.high, horizontal.low], weight)
    right = mix(block[vertical.low, horizontal.high], block[vertical.high, horizontal.high], weight)
    return mix(left, right, horizontal.weight[:, None])


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
