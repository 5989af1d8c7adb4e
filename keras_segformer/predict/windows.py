"""Overlapping windows, for pictures that the network cannot see at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.forward import quarter_logits
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.sizes import ALIGNMENT, Size

WINDOW = 1024
STRIDE = 768
MIN_WINDOW = 2 * ALIGNMENT


def slide(
    model: SegFormerNetwork, image: np.ndarray, size: Size, window: int = WINDOW, stride: int = STRIDE
) -> Iterator[np.ndarray]:
    """Segments a picture window by window and averages the logits where windows overlap.

    The default windows are those of the paper's evaluation on Cityscapes (`test_cfg` of the original code). Logits are
    averaged at a quarter of the size, before they are enlarged, and handed out as soon as no further window reaches
    them: memory grows with the width of the picture, not with its area.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: `(height, width)` to which the picture is resized, a band at a time.
        window: Side of a window in pixels of that size, a multiple of 32, at least 64. A picture that is narrower or
            lower has narrower or lower windows; the last ones in a row or column are up to 31 pixels shorter where
            `size` is no multiple of 32.
        stride: Step between windows, a multiple of 32, at most `window`.

    Yields:
        From top to bottom, bands `(rows, ceil(width / 4), labels)`, float32, of together `ceil(height / 4)` rows.

    Raises:
        ValueError: `window` or `stride` is out of range, or the logits are not finite.

    Example:

    ```python
    logits = np.concatenate(list(slide(model, image, image.shape[:2])))
    ```
    """
    vertical, horizontal = (window_spans(length, window, stride) for length in size)
    column_counts = _coverage(horizontal)
    row_counts = _coverage(vertical)
    started: np.ndarray | None = None  # rows that windows above have contributed to, and windows below will
    for rows, next_rows in itertools.zip_longest(vertical, vertical[1:]):
        band = _row_of_windows(model, resized_rows(image, size, rows), horizontal)
        if started is not None:
            band[: len(started)] += started
        first, stop = _quarter(rows)
        finished = (_quarter(next_rows)[0] if next_rows else stop) - first
        started = band[finished:].copy()
        band = band[:finished]
        band /= row_counts[first : first + finished, None, None] * column_counts[:, None]
        yield band


def window_spans(length: int, window: int, stride: int) -> list[slice]:
    """Places windows along one axis.

    Every window starts at a multiple of 32, so that its feature maps lie on the grids of the whole picture's.

    Args:
        length: Length of the axis in pixels.
        window: Length of a window, a multiple of 32, at least 64.
        stride: Step between windows, a multiple of 32, at most `window`.

    Returns:
        The windows; together they cover the axis.

    Raises:
        ValueError: `window` or `stride` is out of range.

    Example:

    >>> window_spans(2048, 1024, 768)
    [slice(0, 1024, None), slice(768, 1792, None), slice(1024, 2048, None)]
    """
    if window % ALIGNMENT or stride % ALIGNMENT or window < MIN_WINDOW or not 0 < stride <= window:
        raise ValueError(
            f"`window` and `stride` must be multiples of {ALIGNMENT}, the window at least {MIN_WINDOW} and the stride "
            f"at most the window; got {window} and {stride}"
        )
    if length <= window:
        return [slice(0, length)]
    last = math.ceil((length - window) / ALIGNMENT) * ALIGNMENT
    return [slice(start, min(start + window, length)) for start in (*range(0, last, stride), last)]


def _quarter(span: slice) -> tuple[int, int]:
    """Where a window starts and stops in the logits."""
    return span.start // 4, math.ceil(span.stop / 4)


def _coverage(spans: list[slice]) -> np.ndarray:
    """How many windows see every position of the logits along one axis, float32."""
    counts = np.zeros(_quarter(spans[-1])[1], np.float32)
    for span in spans:
        counts[slice(*_quarter(span))] += 1
    return counts


def _row_of_windows(model: SegFormerNetwork, rows: np.ndarray, horizontal: list[slice]) -> np.ndarray:
    """The summed logits `(h, w, labels)` of windows side by side over rows `(H, W, 3)`."""
    total: np.ndarray | None = None
    for columns in horizontal:
        logits = quarter_logits(model, rows[None, :, columns])[0]
        if total is None:
            total = np.zeros((logits.shape[0], _quarter(horizontal[-1])[1], logits.shape[2]), np.float32)
        total[:, slice(*_quarter(columns))] += logits
    return total
