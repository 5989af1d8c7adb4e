"""Labels that are smoothed over time."""

from __future__ import annotations

import numpy as np

from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict import SizeChoice
from keras_segformer.predict.views import View, label_map, network_views
from keras_segformer.video import STEADY_WEIGHT


class SteadySegmenter:
    """Segments the frames of one video by the exponential mean of their logits.

    The mean is taken at a quarter of the size, where the network gives its logits. Enlarging is linear, so that the
    labels are those of the mean of the enlarged logits; with a weight of 0 they are those of `segment`. They lag
    behind the picture by `weight / (1 - weight)` frames on average.

    Args:
        model: The network.
        weight: The weight of the frames before, from 0 to below 1.
        size: As for `keras_segformer.predict.segment`.
        antialias: As for `keras_segformer.predict.segment`.

    Raises:
        ValueError: `weight` is out of range.

    Example:

    ```python
    steady = SteadySegmenter(model, 0.6)
    maps = [steady(frame) for frame in frames]
    ```
    """

    def __init__(
        self,
        model: SegFormerNetwork,
        weight: float = STEADY_WEIGHT,
        size: SizeChoice = "aligned",
        antialias: bool = False,
    ) -> None:
        if not 0 <= weight < 1:
            raise ValueError(f"`weight` must be from 0 to below 1; got {weight}")
        self._model, self._weight, self._size, self._antialias = model, weight, size, antialias
        self._mean: np.ndarray | None = None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Finds the class of every pixel of the next frame.

        Args:
            image: `(H, W, 3)`, uint8, RGB.

        Returns:
            `(H, W)`, int32.

        Raises:
            ValueError: The logits are not finite.
        """
        [view] = network_views(self._model, image, self._size, antialias=self._antialias)
        logits = np.concatenate(list(view.bands))  # (h, w, labels)
        if self._mean is None or self._mean.shape != logits.shape:
            self._mean = logits
        else:
            self._mean = self._weight * self._mean + (1 - self._weight) * logits
        return label_map([View([self._mean], view.grid)], image.shape[:2])
