"""Labels that are smoothed over time."""

from __future__ import annotations

import numpy as np

from keras_segformer.evaluation import TFLiteModel
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
        model: The network, or a TF Lite file whose output is logits.
        weight: The weight of the frames before, from 0 to below 1.
        size: As for `keras_segformer.predict.segment`; files see pictures at the size of their input.
        antialias: As for `keras_segformer.predict.segment`.

    Raises:
        ValueError: `weight` is out of range, or the file gives labels.

    Example:

    ```python
    steady = SteadySegmenter(model, 0.6)
    maps = [steady(frame) for frame in frames]
    ```
    """

    def __init__(
        self,
        model: SegFormerNetwork | TFLiteModel,
        weight: float = STEADY_WEIGHT,
        size: SizeChoice = "aligned",
        antialias: bool = False,
    ) -> None:
        if not 0 <= weight < 1:
            raise ValueError(f"`weight` must be from 0 to below 1; got {weight}")
        if isinstance(model, TFLiteModel) and model.gives_labels:
            raise ValueError(
                f"'{model.path}' gives labels, which have no mean; leave --steady out, or convert the model with "
                "logits as its output"
            )
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
        view = self._view(image)
        logits = np.concatenate(list(view.bands))  # (h, w, labels)
        if self._mean is None or self._mean.shape != logits.shape:
            self._mean = logits
        else:
            self._mean = self._weight * self._mean + (1 - self._weight) * logits
        return label_map([View([self._mean], view.grid)], image.shape[:2])

    def _view(self, image: np.ndarray) -> View:
        if isinstance(self._model, TFLiteModel):
            return self._model.view(image)
        [view] = network_views(self._model, image, self._size, antialias=self._antialias)
        return view
