"""The network's logits of one picture, at a quarter of the size at which the network sees it.

Read from top to bottom: `logit_bands` shows the network a picture as a whole (`quarter_logits`), or, where that would
take too much memory, in overlapping windows whose logits are averaged (`slide`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator

import numpy as np

from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import with_channel_per_label
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.sizes import ALIGNMENT, Size

MAX_PIXELS = 1024 * 2048
"""The largest picture that the network sees as a whole by default: that of a Cityscapes picture."""

WINDOW = 1024
"""Side in pixels of the windows of the paper's evaluation on Cityscapes (`test_cfg` of the original code)."""

MIN_WINDOW = 2 * ALIGNMENT


def grid_size(size: Size) -> Size:
    """Returns the size of the logits, `(ceil(height / 4), ceil(width / 4))`, of a picture of `size` pixels.

    Example:

    >>> grid_size((512, 683))
    (128, 171)
    """
    return math.ceil(size[0] / 4), math.ceil(size[1] / 4)


def logit_bands(
    model: SegFormerNetwork,
    image: np.ndarray,
    size: Size,
    max_pixels: int = MAX_PIXELS,
    window: int | None = None,
) -> Iterable[np.ndarray]:
    """Computes the logits of a picture, as a whole where it fits and otherwise from overlapping windows.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: `(height, width)` in pixels to which it is resized for the network.
        max_pixels: The most pixels that the network sees at once where there is no `window`.
        window: Side in pixels of the windows into which larger pictures are cut, a multiple of 32. By default only
            pictures of more than `max_pixels` are cut, into windows of at most 1024.

    Returns:
        From top to bottom, bands `(rows, w, labels)`, float32, that together are the logits `(h, w, labels)` with
        `(h, w) = grid_size(size)`. Those of windows are computed when they are asked for, and only once.

    Raises:
        ValueError: The logits are not finite, or the window is out of range.

    Example:

    ```python
    logits = np.concatenate(list(logit_bands(model, image, (512, 704))))  # (128, 176, 150)
    ```
    """
    if window is None and math.prod(size) <= max_pixels:
        return quarter_logits(model, resized_rows(image, size)[None])
    window = window or min(WINDOW, _aligned_down(math.isqrt(max_pixels)))
    # Windows overlap by a quarter, as the paper's of 1024 pixels with a stride of 768.
    return slide(model, image, size, window, stride=_aligned_down(window * 3 // 4))


def quarter_logits(model: SegFormerNetwork, images: np.ndarray) -> np.ndarray:
    """Runs the network, compiled by Keras' `predict_on_batch`, up to its logits at a quarter of the size.

    Args:
        model: The network.
        images: RGB on the scale 0..255, `(B, H, W, 3)`, float32, with H, W >= 32.

    Returns:
        `(B, ceil(H / 4), ceil(W / 4), labels)`, float32; a binary model has two labels, see `with_channel_per_label`.

    Raises:
        ValueError: The logits are not finite.

    Example:

    ```python
    quarter_logits(model, np.zeros((1, 64, 96, 3), np.float32)).shape  # (1, 16, 24, 150)
    ```
    """
    logits = np.asarray(model.quarter.predict_on_batch(images), dtype=np.float32)
    if not np.isfinite(logits).all():
        raise ValueError(
            "The network's logits are NaN or infinite: its weights are broken, or overflow under the dtype policy "
            f"{model.dtype_policy.name!r}; load the preset again, in float32."
        )
    return with_channel_per_label(logits)


def slide(model: SegFormerNetwork, image: np.ndarray, size: Size, window: int, stride: int) -> Iterator[np.ndarray]:
    """Computes logits window by window, and averages them where windows overlap.

    Logits are averaged at a quarter of the size, before they are enlarged, and yielded as soon as no further window
    overlaps them: memory grows with the width of the picture, not with its area.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: `(height, width)` in pixels to which the picture is resized, a band at a time.
        window: Side of a window in pixels of that size, a multiple of 32, at least 64. A picture that is narrower or
            lower has narrower or lower windows; the last ones in a row or column are up to 31 pixels shorter where
            `size` is not a multiple of 32.
        stride: Step between windows, a multiple of 32, at most `window`.

    Yields:
        Bands as of `logit_bands`.

    Raises:
        ValueError: `window` or `stride` is out of range, or the logits are not finite.

    Example:

    ```python
    logits = np.concatenate(list(slide(model, image, image.shape[:2], window=1024, stride=768)))
    ```
    """
    vertical, horizontal = (window_spans(length, window, stride) for length in size)
    row_counts, column_counts = _window_counts(vertical), _window_counts(horizontal)
    pending: np.ndarray | None = None  # the sum of windows above, for rows that the next windows add to
    for rows, next_rows in itertools.zip_longest(vertical, vertical[1:]):
        band = _row_of_windows(model, resized_rows(image, size, rows), horizontal)
        if pending is not None:
            band[: len(pending)] += pending
        first, stop = _quarter(rows)
        finished = (_quarter(next_rows)[0] if next_rows else stop) - first
        pending = band[finished:].copy()
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


def _row_of_windows(model: SegFormerNetwork, rows: np.ndarray, horizontal: list[slice]) -> np.ndarray:
    """Returns the summed logits `(h, w, labels)` of windows side by side over rows `(H, W, 3)`."""
    total: np.ndarray | None = None
    for columns in horizontal:
        logits = quarter_logits(model, rows[None, :, columns])[0]
        if total is None:
            total = np.zeros((logits.shape[0], _quarter(horizontal[-1])[1], logits.shape[2]), np.float32)
        total[:, slice(*_quarter(columns))] += logits
    return total


def _window_counts(spans: list[slice]) -> np.ndarray:
    """Counts the windows that overlap every position of the logits along one axis, float32."""
    counts = np.zeros(_quarter(spans[-1])[1], np.float32)
    for span in spans:
        counts[slice(*_quarter(span))] += 1
    return counts


def _quarter(span: slice) -> tuple[int, int]:
    """Returns where a window starts and stops in the logits."""
    return span.start // 4, math.ceil(span.stop / 4)


def _aligned_down(length: int) -> int:
    return length // ALIGNMENT * ALIGNMENT
