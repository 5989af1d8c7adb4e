"""The effective receptive field of the stages and the head (paper section 4.2, figure 3)."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np

from keras_segformer.analysis.network_parts import NetworkPart, network_parts
from keras_segformer.images import ImageSource, load_image
from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import pull_back
from keras_segformer.predict.interpolation import resized_rows

SHARES = (0.2, 0.3, 0.5, 0.99)
"""Shares of the field whose squares are reported."""

HEAD = "head"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReceptiveField:
    """How much every pixel of the input moves the features at the centre position of a map.

    Args:
        map: Mean gradient `(H, W)`, float64, not negative.
        centre: `(row, column)` of the position in pixels, `.5` between two of them.
    """

    map: np.ndarray
    centre: tuple[float, float]

    def side(self, share: float) -> int:
        """Measures the square around the centre that holds a share of the field.

        Args:
            share: From 0 to 1.

        Returns:
            Its side in pixels, at most the longer side of the picture: where the square reaches over the picture's
            edge, it is larger than what it holds.

        Example:

        >>> ReceptiveField(map=np.eye(5), centre=(2.0, 2.0)).side(0.5)
        3
        """
        rows, columns = (np.abs(np.arange(length) - middle) for length, middle in self._axes())
        # Twice the distance by the maximum norm is a whole number, since the centre lies on or between pixels.
        doubled = np.rint(2 * np.maximum(rows[:, None], columns)).astype(np.int64)
        held = np.cumsum(np.bincount(doubled.ravel(), weights=self.map.ravel()))
        # Rounding of the sum must not ask for more than there is.
        reached = int(np.argmax(held >= share * held[-1] * (1 - 1e-12)))
        return min(reached + 1, max(self.map.shape))

    @property
    def support(self) -> tuple[int, int]:
        """Height and width in pixels of the smallest rectangle outside of which the field is exactly 0."""
        height, width = (_extent(self.map.any(axis=axis)) for axis in (1, 0))
        return height, width

    @property
    def deviation(self) -> tuple[float, float]:
        """Standard deviations in pixels, by rows and by columns, of the field about the centre."""
        rows, columns = (
            float(np.sqrt(np.average((np.arange(length) - middle) ** 2, weights=self.map.sum(axis=axis))))
            for axis, (length, middle) in zip((1, 0), self._axes(), strict=True)
        )
        return rows, columns

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures, without the map, as JSON takes them."""
        return {
            "centre": list(self.centre),
            "sides": {f"{share:.0%}": self.side(share) for share in SHARES},
            "support": list(self.support),
            "deviation": list(self.deviation),
        }

    def _axes(self) -> Iterable[tuple[int, float]]:
        return zip(self.map.shape, self.centre, strict=True)


def effective_receptive_field(
    model: SegFormerNetwork,
    images: Iterable[ImageSource],
    size: tuple[int, int] = (1024, 1024),
    batch_size: int = 1,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> dict[str, ReceptiveField]:
    """Measures the effective receptive fields of the four stages and of the head.

    The features at the centre position, rectified and summed over the channels, are differentiated by the normalised
    picture; the gradient is rectified, summed over the three colours and averaged over the pictures. The head's
    features are those that its classifier sees.

    Only what passes from one layer, or residual block, to the next is kept; everything else is computed twice.
    With B0 a process takes 3.2 GB at 1024x1024, most of it for the scores of a single attention of stage 1.

    Args:
        model: A network with any backbone.
        images: The pictures, as `keras_segformer.images.load_image` reads them.
        size: `(height, width)` in pixels to which pictures are resized, whatever their aspect ratio.
        batch_size: How many are shown to the network at once.
        progress: A function that wraps the pictures to show progress, such as `rich.progress.track`.

    Returns:
        The fields of `"stage 1"` to `"stage 4"` and of `"head"`.

    Raises:
        FileNotFoundError: There is no such picture.
        InvalidImageError: A picture cannot be read.
        ValueError: There is no picture; the backbone is not a functional model; features or gradients are not
            finite, or gradients are all zero; or the backend is neither TensorFlow nor JAX.

    Source: Luo et al., arXiv 1701.04128, in the form of Ding et al., arXiv 2203.06717, appendix.

    Example:

    ```python
    fields = effective_receptive_field(model, ["street.jpg"], size=(512, 512))
    print(fields["stage 1"].side(0.5), fields["head"].side(0.99))
    ```
    """
    parts = network_parts(model.backbone)
    totals: dict[str, np.ndarray] = {}
    centres: dict[str, tuple[float, float]] = {}
    count = 0
    pixels = (resized_rows(load_image(image), size) for image in progress(images))  # (H, W, 3) each
    for batch in _batches(pixels, batch_size):
        count += len(batch)
        gradients, grids = _centre_gradients(model, parts, np.stack(batch))
        for name, gradient in gradients.items():
            totals[name] = totals.get(name, 0.0) + _rectified(name, gradient)
        centres = {name: _centre(grid, size) for name, grid in grids.items()}
    if not count:
        raise ValueError("There is no picture to measure the receptive field on; give one at least.")
    empty = [name for name in centres if not totals[name].any()]
    if empty:
        raise ValueError(
            f"No gradient reaches the pictures from {' and '.join(empty)}, whose features at the centre are nowhere "
            "positive; use other pictures, or trained weights."
        )
    return {name: ReceptiveField(map=totals[name] / count, centre=centre) for name, centre in centres.items()}


def _centre_gradients(
    model: SegFormerNetwork, parts: Sequence[NetworkPart], images: np.ndarray
) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The gradients `(B, H, W, 3)` of all parts of the network, and the sizes of their maps.

    Args:
        model: The network.
        parts: Those of its backbone.
        images: `(B, H, W, 3)`.
    """
    x = model.get_layer("normalization")(keras.ops.convert_to_tensor(images, dtype="float32"))
    entries, features = [], {}
    for part in parts:
        entries.append(x)
        outputs = part([x])
        features |= {index: each for index, each in zip(part.indices, outputs, strict=True) if index is not None}
        x = outputs[-1]
    features = [features[index] for index in range(len(features))]
    fused, pull_head = pull_back(lambda maps: [model.decoder.fused(maps)], features)
    upstream = {f"stage {index + 1}": {index: _at_centre(each)} for index, each in enumerate(features)}
    upstream[HEAD] = dict(enumerate(pull_head([_at_centre(fused[0])])))
    maps = dict(zip(upstream, [*features, fused[0]], strict=True))
    for name, each in maps.items():
        _finite("features", name, each)  # NaN counts as not positive, and would end as a field of zeros
    del pull_head, x
    return _through_parts(parts, entries, upstream), {name: tuple(each.shape[1:3]) for name, each in maps.items()}


def _through_parts(
    parts: Sequence[NetworkPart], entries: list[Any], upstream: dict[str, dict[int, Any]]
) -> dict[str, Any]:
    """Takes the gradients of several functions of the features from the last part to the first.

    Args:
        parts: The parts of the backbone.
        entries: The value of every part's entry; emptied from its end.
        upstream: For each function its gradients by some of the features.
    """
    passed: dict[str, Any] = {}  # by the entry of the part behind
    for part in reversed(parts):
        reached = [name for name, by in upstream.items() if name in passed or by.keys() & set(part.indices)]
        entry = entries.pop()
        if not reached:
            continue
        outputs, pull = pull_back(part, [entry])
        for name in reached:
            passed[name] = pull(_at_outputs(part, outputs, upstream[name], passed.get(name)))[0]
    return passed


def _at_outputs(part: NetworkPart, outputs: list[Any], by_feature: dict[int, Any], passed: Any) -> list[Any]:
    """One gradient for every output of a part."""
    gradients = [
        keras.ops.zeros_like(output) if by_feature.get(index) is None else by_feature[index]
        for index, output in zip(part.indices, outputs, strict=True)
    ]
    if passed is not None:
        gradients[-1] = gradients[-1] + passed
    return gradients


def _at_centre(features: Any) -> Any:
    """The gradient `(B, h, w, C)` of the rectified features' sum over the channels at the centre position."""
    height, width = features.shape[1:3]
    chosen = np.zeros((1, height, width, 1), np.float32)
    chosen[0, height // 2, width // 2] = 1
    return keras.ops.cast(features > 0, features.dtype) * keras.ops.convert_to_tensor(chosen, features.dtype)


def _rectified(name: str, gradient: Any) -> np.ndarray:
    """The positive gradients, summed over batch and colours, `(H, W)`, float64."""
    return np.maximum(_finite("gradients", name, gradient).astype(np.float64), 0).sum(axis=(0, 3))


def _finite(what: str, name: str, tensor: Any) -> np.ndarray:
    values = keras.ops.convert_to_numpy(tensor)
    if not np.isfinite(values).all():
        raise ValueError(f"The {what} of {name} are NaN or infinite; load the preset again, in float32.")
    return values


def _centre(grid: tuple[int, int], size: tuple[int, int]) -> tuple[float, float]:
    """The centre position of a map in pixels of the picture, rounded to halves of a pixel."""
    row, column = (
        round(2 * ((length // 2 + 0.5) * pixels / length - 0.5)) / 2 for length, pixels in zip(grid, size, strict=True)
    )
    return row, column


def _extent(occupied: np.ndarray) -> int:
    places = np.flatnonzero(occupied)
    return int(places[-1] - places[0] + 1) if places.size else 0


def _batches(items: Iterable[Any], size: int) -> Iterable[list[Any]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
