"""How much labels flicker."""

from __future__ import annotations

import numpy as np

_TOLERANCE = 8
"""How far a channel of a still pixel may differ between frames, on the scale 0..255: the noise of codecs."""


class FlickerMeter:
    """Measures how often labels change between neighbouring frames where the picture does not.

    Args:
        tolerance: How far every channel of a pixel may differ for the pixel to count as still, on the scale 0..255.

    Example:

    >>> meter = FlickerMeter()
    >>> picture = np.zeros((1, 4, 3), np.uint8)
    >>> meter.add(picture, np.array([[0, 0, 1, 1]]))
    >>> meter.add(picture, np.array([[0, 0, 1, 0]]))
    >>> meter.share
    0.25
    """

    def __init__(self, tolerance: int = _TOLERANCE) -> None:
        self._tolerance = tolerance
        self._before: tuple[np.ndarray, np.ndarray] | None = None
        self._still = self._changed = 0

    def add(self, pixels: np.ndarray, labels: np.ndarray) -> None:
        """Compares a frame with the one before.

        Args:
            pixels: `(H, W, 3)`, uint8.
            labels: `(H, W)`, integer.
        """
        before, self._before = self._before, (pixels, labels)
        if before is None or before[1].shape != labels.shape:
            return
        # The difference of the larger and the smaller fits into uint8.
        still = (np.maximum(pixels, before[0]) - np.minimum(pixels, before[0])).max(axis=2) <= self._tolerance
        self._still += int(np.count_nonzero(still))
        self._changed += int(np.count_nonzero(still & (labels != before[1])))

    @property
    def share(self) -> float | None:
        """The share of the still pixels whose label changed; `None` where no pixel was still."""
        return self._changed / self._still if self._still else None
