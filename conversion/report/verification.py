"""A TF Lite file against the network that it was converted from."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from keras_segformer.evaluation.confusion import ConfusionMatrix
from keras_segformer.evaluation.interpreter import make_interpreter
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import predicted_labels
from keras_segformer.predict.enlarge import enlarge_argmax
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.logits import quarter_logits
from keras_segformer.visualization import overlay

from ..progress import Progress, silent
from .fidelity import label_maps

_NUM_WORST = 4
_RED = (220, 30, 30)
_SEEN = 1e-3  # share of the positions from which on a class cannot vanish by chance


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """What both make of an image.

    Args:
        name: Name of the image.
        agreement: Share of the positions with the same label.
        image: `(height, width, 3)`, uint8, as both saw it.
        expected: Labels of the network, `(h, w)`, int32.
        actual: Labels of the file, `(h, w)`, int32.
    """

    name: str
    agreement: float
    image: np.ndarray
    expected: np.ndarray
    actual: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Verification:
    """How closely a file follows its network.

    Args:
        agreements: The share of positions with the same label, by the names of the images.
        confusion: Labels of the network by labels of the file.
        class_names: Names of the classes.
        worst: The images that agree least, the worst first.
    """

    agreements: dict[str, float]
    confusion: ConfusionMatrix
    class_names: tuple[str, ...]
    worst: tuple[Pair, ...]

    @property
    def agreement(self) -> float:
        """The mean of the images."""
        return float(np.mean(list(self.agreements.values())))

    @property
    def worst_agreement(self) -> float:
        """That of the image with the least."""
        return min(self.agreements.values())

    @property
    def vanished(self) -> tuple[str, ...]:
        """The classes that the network sees and the file never."""
        before, after = self._shares()
        return tuple(
            name for name, was, now in zip(self.class_names, before, after, strict=True) if was >= _SEEN and not now
        )

    def classes(self) -> list[dict[str, Any]]:
        """The classes that either sees: their shares of the positions before and after, and the IoU between both."""
        iou = self.confusion.scores().iou
        before, after = self._shares()
        return [
            {"name": name, "share_before": float(was), "share_after": float(now), "iou": float(each)}
            for name, was, now, each in zip(self.class_names, before, after, iou, strict=True)
            if was or now
        ]

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return {
            "images": len(self.agreements),
            "agreement": self.agreement,
            "worst_agreement": self.worst_agreement,
            "vanished": list(self.vanished),
            "classes": self.classes(),
        }

    def _shares(self) -> tuple[np.ndarray, np.ndarray]:
        counts = self.confusion.counts
        return counts.sum(axis=1) / counts.sum(), counts.sum(axis=0)[: len(self.class_names)] / counts.sum()


def verify_content(
    content: bytes, model: SegFormerNetwork, images: Iterable[tuple[str, np.ndarray]], on_step: Progress = silent
) -> Verification:
    """Run a file and its network on the same images and compare the labels.

    Args:
        content: The file, which takes one picture on the scale 0..255 and gives logits or labels.
        model: The network in Keras.
        images: Names, and pictures `(H, W, 3)`, uint8, RGB, which are resized to the file's input whatever their
            aspect ratio.
        on_step: Told of the progress.

    Returns:
        The comparison.

    Raises:
        ValueError: There is no image, or the file and the network have different outputs.
    """
    images = list(images)
    if not images:
        raise ValueError("There is no image to compare a file and its network on; name some.")
    run = _Runner(content)
    num_classes = model.label_set.num_classes
    confusion, agreements = ConfusionMatrix(num_classes, ignore_index=-1), {}
    worst: list[Pair] = []
    advance = on_step("Comparing with the network", len(images))
    for name, image in images:
        pixels = np.rint(resized_rows(image, run.size)).astype(np.uint8)
        actual = run(pixels)
        expected = _labels_of_network(model, pixels, actual.shape)
        confusion.update(expected, actual)
        agreements[name] = float(np.mean(expected == actual))
        pair = Pair(name=name, agreement=agreements[name], image=pixels, expected=expected, actual=actual)
        worst = heapq.nsmallest(_NUM_WORST, [*worst, pair], key=lambda each: each.agreement)
        advance()
    return Verification(
        agreements=agreements, confusion=confusion, class_names=tuple(model.label_set.names), worst=tuple(worst)
    )


def draw_worst(verification: Verification, label_set: LabelSet) -> Image.Image:
    """Draw the images that agree least: network, file, and where they differ.

    Args:
        verification: The comparison.
        label_set: The colours.

    Returns:
        A row of three panels for every image.
    """
    rows = [np.concatenate(panels(pair, label_set), axis=1) for pair in verification.worst]
    return Image.fromarray(np.concatenate(rows))


def panels(pair: Pair, label_set: LabelSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw what both make of an image.

    Args:
        pair: The labels of both.
        label_set: The colours.

    Returns:
        Labels of the network, labels of the file, and where they differ in red, each `(height, width, 3)`, uint8.
    """
    differs = _enlarged((pair.expected != pair.actual).astype(np.int32), pair.image).astype(bool)
    gray = np.repeat(pair.image.mean(axis=2, keepdims=True) * 0.5 + 100, 3, axis=2).astype(np.uint8)
    gray[differs] = _RED
    expected, actual = (
        overlay(pair.image, _enlarged(labels, pair.image), label_set) for labels in (pair.expected, pair.actual)
    )
    return expected, actual, gray


def _enlarged(labels: np.ndarray, image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    rows = np.arange(height) * labels.shape[0] // height
    columns = np.arange(width) * labels.shape[1] // width
    return labels[rows[:, None], columns]


class _Runner:
    """A file as a function from pixels to labels `(h, w)`."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = make_interpreter(content)
        [self._input], [self._output] = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.size = tuple(int(length) for length in self._input["shape"][1:3])

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input["index"], pixels[None].astype(self._input["dtype"]))
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])
        return (predicted_labels(output) if output.ndim == 4 else output)[0]


def _labels_of_network(model: SegFormerNetwork, pixels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    logits = quarter_logits(model, pixels[None].astype(np.float32))[0]
    if logits.shape[:2] == size:
        return predicted_labels(logits)
    if pixels.shape[:2] == size:
        return enlarge_argmax([logits], logits.shape[:2], size)
    raise ValueError(
        f"The file gives labels of the size {size} where the network gives {logits.shape[:2]}; name the preset that it "
        "was converted from."
    )
