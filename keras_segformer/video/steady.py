"""Labels that are smoothed over time."""

from __future__ import annotations

import numpy as np

from keras_segformer.evaluation import TFLiteModel
from keras_segformer.evaluation.tflite import resize_labels
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict import SizeChoice
from keras_segformer.predict.views import View, label_map, network_views
from keras_segformer.video import STEADY_WEIGHT


class ExponentialMean:
    """The mean over the frames of a video in which every frame counts `weight` times as much as the one behind it.

    With the values `v` of a frame it is `m = weight * m + (1 - weight) * v`, and that of the first frame is `v` itself.
    `LabelSmoother` of the Android app computes the same; both are tested against the same numbers.

    Args:
        weight: The weight of the frames before, from 0 to below 1.

    Raises:
        ValueError: `weight` is out of range.

    Example:

    >>> mean = ExponentialMean(0.75)
    >>> mean(np.array([0.0])), mean(np.array([1.0]))
    (array([0.]), array([0.25]))
    """

    def __init__(self, weight: float) -> None:
        if not 0 <= weight < 1:
            raise ValueError(f"`weight` must be from 0 to below 1; got {weight}")
        self._weight = weight
        self._mean: np.ndarray | None = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Adds a frame.

        Args:
            values: Of any shape, floats; another shape than before begins anew.

        Returns:
            The mean, of the same shape.
        """
        if self._mean is None or self._mean.shape != values.shape:
            self._mean = values
        else:
            self._mean = self._weight * self._mean + (1 - self._weight) * values
        return self._mean


def votes(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Makes values of labels, whose exponential mean can be taken.

    Args:
        labels: `(h, w)`, integers below `num_classes`.
        num_classes: The number of classes.

    Returns:
        `(h, w, num_classes)`, float32: 1 for the label of a place and 0 for all others.

    Example:

    >>> votes(np.array([[1]]), 3)
    array([[[0., 1., 0.]]], dtype=float32)
    """
    return np.eye(num_classes, dtype=np.float32)[labels]


class SteadySegmenter:
    """Segments the frames of one video by the exponential mean of their logits, or of their labels as votes.

    The mean is taken at a quarter of the size, where the network gives its logits. Enlarging is linear, so that the
    labels are those of the mean of the enlarged logits; with a weight of 0 they are those of `segment`. They lag
    behind the picture by `weight / (1 - weight)` frames on average. Where a TF Lite file gives labels, the mean is that
    of `votes`, at the size of its output.

    Args:
        model: The network, or a TF Lite file.
        weight: The weight of the frames before, from 0 to below 1.
        size: As for `keras_segformer.predict.segment`; files see pictures at the size of their input.
        antialias: As for `keras_segformer.predict.segment`.

    Raises:
        ValueError: `weight` is out of range, or the file gives labels and how many there are is not known.

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
        self._model, self._size, self._antialias = model, size, antialias
        self._mean = ExponentialMean(weight)
        self._voter: TFLiteModel | None = None
        if isinstance(model, TFLiteModel) and model.gives_labels:
            self._voter, self._num_classes = model, model.known_label_set.num_classes

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Finds the class of every pixel of the next frame.

        Args:
            image: `(H, W, 3)`, uint8, RGB.

        Returns:
            `(H, W)`, int32.

        Raises:
            ValueError: The logits are not finite.
        """
        if self._voter:
            mean = self._mean(votes(self._voter.output_labels(image), self._num_classes))  # (h, w, labels)
            return resize_labels(mean.argmax(axis=-1), image.shape[:2]).astype(np.int32)
        view = self._view(image)
        logits = np.concatenate(list(view.bands))  # (h, w, labels)
        return label_map([View([self._mean(logits)], view.grid)], image.shape[:2])

    def _view(self, image: np.ndarray) -> View:
        if isinstance(self._model, TFLiteModel):
            return self._model.view(image)
        [view] = network_views(self._model, image, self._size, antialias=self._antialias)
        return view
