"""`evaluate`: scores a model on a data set, picture by picture."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_segformer.data.examples import NAME, Examples
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.evaluation.boundary import BoundaryIoU
from keras_segformer.evaluation.choices import MODES, Mode
from keras_segformer.evaluation.class_mapping import ClassMapping
from keras_segformer.evaluation.confusion import ConfusionMatrix, Scores, mean_of_defined
from keras_segformer.evaluation.tflite import TFLiteModel
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import MaskRules
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.logits import WINDOW
from keras_segformer.predict.sizes import SizeChoice
from keras_segformer.predict.views import SCALES, label_map, network_views

NUM_WORST = 5


class ImageScore(NamedTuple):
    """The scores of one picture.

    Args:
        name: Its file name.
        pixel_accuracy: The share of its labelled pixels that are predicted right; NaN if none is labelled.
        mean_iou: Mean IoU over the classes that occur in it, or are predicted there.
    """

    name: str
    pixel_accuracy: float
    mean_iou: float


class SegmentedImage(NamedTuple):
    """A picture with truth and prediction.

    Args:
        score: Its scores.
        image: `(H, W, 3)`, uint8.
        labels: The truth, `(H, W)`, uint8.
        predictions: Class indices of the data set, `(H, W)`, integer.
    """

    score: ImageScore
    image: np.ndarray
    labels: np.ndarray
    predictions: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """The result of `evaluate`.

    Args:
        label_set: The classes of the data set.
        confusion: The counts of all pixels.
        boundary_iou: Boundary IoU of every class, `(classes,)`; `None` if it was not requested.
        images: The scores of every picture, in the order of the data set.
        worst: The pictures with the lowest pixel accuracy, in ascending order.
        settings: How the pictures were presented to the model.
        seconds: Duration of the whole evaluation, loading and compilation included.
    """

    label_set: LabelSet
    confusion: ConfusionMatrix
    boundary_iou: np.ndarray | None
    images: tuple[ImageScore, ...]
    worst: tuple[SegmentedImage, ...]
    settings: dict[str, Any]
    seconds: float

    @functools.cached_property
    def scores(self) -> Scores:
        """The scores of the data set."""
        return self.confusion.scores()

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """The names of the pictures without any labelled pixel, which have no scores."""
        return tuple(image.name for image in self.images if np.isnan(image.pixel_accuracy))

    @property
    def mean_boundary_iou(self) -> float | None:
        """Mean of `boundary_iou` over the classes that occur."""
        return None if self.boundary_iou is None else mean_of_defined(self.boundary_iou)

    def to_dict(self) -> dict[str, Any]:
        """Returns everything but pictures as JSON takes it, with null for undefined scores.

        Example:

        ```python
        json.dumps(evaluation.to_dict())
        ```
        """
        scores = self.scores
        summary = {
            "mean_iou": scores.mean_iou,
            "mean_accuracy": scores.mean_accuracy,
            "pixel_accuracy": scores.pixel_accuracy,
            "frequency_weighted_iou": scores.frequency_weighted_iou,
        }
        classes = {"iou": scores.iou, "accuracy": scores.accuracy}
        if self.boundary_iou is not None:
            summary["mean_boundary_iou"] = self.mean_boundary_iou
            classes["boundary_iou"] = self.boundary_iou
        return {
            "scores": {key: _or_none(value) for key, value in summary.items()},
            "classes": [
                {
                    "index": index,
                    "name": name,
                    "pixels": int(self.confusion.counts[index].sum()),
                    **{key: _or_none(values[index]) for key, values in classes.items()},
                }
                for index, name in enumerate(self.label_set.names)
            ],
            "images": [
                {
                    "name": image.name,
                    "pixel_accuracy": _or_none(image.pixel_accuracy),
                    "mean_iou": _or_none(image.mean_iou),
                }
                for image in self.images
            ],
            "unlabelled": list(self.unlabelled),
            "confusion": {
                "rows": "labels",
                "columns": "predictions, then no class",
                "counts": self.confusion.counts.tolist(),
            },
            "settings": self.settings,
            "seconds": round(self.seconds, 3),
        }


def evaluate(
    model: SegFormerNetwork | TFLiteModel,
    examples: Examples,
    mode: Mode = "whole",
    size: SizeChoice | None = None,
    flip: bool = False,
    class_mapping: ClassMapping | None = None,
    boundary: bool = False,
    antialias: bool = False,
    progress: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    transform: Callable[[str, np.ndarray], np.ndarray] | None = None,
) -> Evaluation:
    """Compares a model's predictions with the ground truth, each at its picture's own size.

    Predictions are computed exactly as in `segment`. Memory does not grow with the number of pictures.

    Args:
        model: The network, or a TF Lite file, which sees pictures as a whole at its own size.
        examples: The data set.
        mode: How the network sees a picture:
            - `"whole"`: at once (cut into windows only above 2 megapixels, as `segment` does);
            - `"slide"`: in windows of 1024x1024 pixels with stride 768, the evaluation of the paper on Cityscapes;
            - `"multiscale"`: at .5, .75, 1, 1.25, 1.5 and 1.75 of the size, and mirrored at each; the mean of the
              probabilities counts.
        size: The size at which the network sees a picture, as for `segment`; by default `"aligned"`.
        flip: Whether the probabilities of the mirrored picture are averaged in; `"multiscale"` does so anyway.
        class_mapping: The class of the data set for every class of the model, where they are not the same.
        boundary: Whether boundary IoU is computed too.
        antialias: Whether pictures are resized with antialiasing, as for `segment`.
        progress: A function that wraps the iterable of pictures to show progress, such as `rich.progress.track`.
        transform: A function of the file name and a picture `(H, W, 3)`, uint8, that returns the picture that the model
            sees instead, of the same size, such as a corrupted one.

    Returns:
        The scores, by class and by picture, and the worst pictures.

    Raises:
        InvalidDatasetError: No pixel of the data set has a label, or a label is not a class.
        InvalidImageError: `size` is `"native"` and a picture is smaller than 32x32 pixels.
        ValueError: The model's classes are not those of the data set, an argument is out of range, or the logits are
            not finite.

    Example:

    ```python
    evaluation = evaluate(model, load("camvid", "val", "data/camvid"), mode="multiscale")
    print(evaluation.scores.mean_iou)
    ```
    """
    started = time.perf_counter()
    num_classes = examples.label_set.num_classes
    _check_classes(model, num_classes, class_mapping)
    segment = segmenter(model, mode, size, flip, antialias)
    confusion, contours = ConfusionMatrix(num_classes), BoundaryIoU(num_classes)
    scores: list[ImageScore] = []
    worst: list[SegmentedImage] = []
    for name, image, labels in progress(decoded(examples)):
        image = transform(name, image) if transform else image
        predictions = segment(image)
        predictions = class_mapping.apply(predictions) if class_mapping else predictions
        counts = ConfusionMatrix(num_classes)
        counts.update(labels, predictions)
        confusion += counts
        if boundary:
            contours.update(labels, predictions)
        scores.append(_image_score(name, counts))
        worst = _worst([*worst, SegmentedImage(scores[-1], image, labels, predictions)])
    _check_labelled(confusion, len(scores))
    return Evaluation(
        label_set=examples.label_set,
        confusion=confusion,
        boundary_iou=contours.iou() if boundary else None,
        images=tuple(scores),
        worst=tuple(worst),
        settings=_settings(model, mode, size, flip, antialias),
        seconds=time.perf_counter() - started,
    )


def _check_classes(model: SegFormerNetwork | TFLiteModel, num_classes: int, mapping: ClassMapping | None) -> None:
    num_labels = model.num_labels if isinstance(model, TFLiteModel) else model.label_set.num_classes
    if mapping:
        mapping.check(num_labels, num_classes)
    elif num_labels not in (None, num_classes):
        raise ValueError(
            f"The model has {num_labels} classes and the data set {num_classes}; give a class mapping from one to the "
            "other, or a model of these classes."
        )


def _check_labelled(confusion: ConfusionMatrix, pictures: int) -> None:
    """Refuses scores of nothing, which would be NaN."""
    rules = MaskRules(confusion.num_classes, confusion.ignore_index)
    if not rules.has_labels(np.append(confusion.counts.sum(axis=1), 0)):
        raise InvalidDatasetError(
            f"None of the {pictures} pictures has a pixel with a label, all are {rules.ignore_index}, so there is "
            "nothing to score; check the masks with `keras-segformer data check`, or choose another split."
        )


def segmenter(
    model: SegFormerNetwork | TFLiteModel,
    mode: Mode = "whole",
    size: SizeChoice | None = None,
    flip: bool = False,
    antialias: bool = False,
) -> Callable[[np.ndarray], np.ndarray]:
    """Makes a function from a picture to its label map at the picture's size.

    Args:
        model: As for `evaluate`, and so are the others.
        mode: How pictures are presented.
        size: The size at which the network sees them.
        flip: Whether the mirrored picture counts too.
        antialias: Whether pictures are resized with antialiasing.

    Returns:
        From `(H, W, 3)`, uint8, to `(H, W)`, integer.

    Raises:
        ValueError: There is no such mode, or the model does not take the options.

    Example:

    ```python
    labels = segmenter(model, mode="slide")(image)
    ```
    """
    if mode not in MODES:
        raise ValueError(f"`mode` must be one of {', '.join(map(repr, MODES))}; got {mode!r}.")
    if isinstance(model, TFLiteModel):
        if mode != "whole" or size is not None:
            raise ValueError(
                f"'{model.path}' sees pictures as a whole at {model.input_size[0]}x{model.input_size[1]} pixels; leave "
                "size and mode out, or evaluate the preset that it was converted from."
            )
        return functools.partial(model.segment, flip=flip, antialias=antialias)

    is_multiscale = mode == "multiscale"

    def segment(image: np.ndarray) -> np.ndarray:
        views = network_views(
            model,
            image,
            size="aligned" if size is None else size,
            scales=SCALES if is_multiscale else (1.0,),
            flip=flip or is_multiscale,
            window=WINDOW if mode == "slide" else None,
            antialias=antialias,
        )
        return label_map(list(views), image.shape[:2])

    return segment


def decoded(examples: Examples) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Decodes examples ahead of their use.

    Args:
        examples: The data set.

    Yields:
        Name, image `(H, W, 3)`, uint8, and labels `(H, W)`, uint8, of every example.

    Example:

    ```python
    name, image, labels = next(decoded(examples))
    ```
    """

    def decode(record: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return (record[NAME], *examples.decode(record))

    dataset = examples.encoded.map(decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    for name, image, labels in dataset.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
        yield name.decode(), image, labels


def _image_score(name: str, counts: ConfusionMatrix) -> ImageScore:
    scores = counts.scores()
    return ImageScore(name, scores.pixel_accuracy, scores.mean_iou)


def _worst(images: list[SegmentedImage]) -> list[SegmentedImage]:
    labelled = [image for image in images if not np.isnan(image.score.pixel_accuracy)]
    return sorted(labelled, key=lambda image: image.score.pixel_accuracy)[:NUM_WORST]


def _settings(
    model: SegFormerNetwork | TFLiteModel, mode: Mode, size: SizeChoice | None, flip: bool, antialias: bool
) -> dict[str, Any]:
    if isinstance(model, TFLiteModel):
        return {"mode": mode, "size": list(model.input_size), "flip": flip, "antialias": antialias}
    size = "aligned" if size is None else size
    return {
        "mode": mode,
        "size": size if isinstance(size, str) else list(size),
        "input_size": list(model.config.input_size),
        "flip": flip or mode == "multiscale",
        "antialias": antialias,
    }


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else float(value)
