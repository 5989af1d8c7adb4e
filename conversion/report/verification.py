"""Comparison of a TF Lite file with the network that it was converted from."""

from __future__ import annotations

import collections
import dataclasses
import heapq
import importlib.util
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_segformer.errors import MissingExtraError
from keras_segformer.evaluation.confusion import ConfusionMatrix
from keras_segformer.evaluation.tflite import resize_labels
from keras_segformer.evaluation.tflite_tensors import check_tensors
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import SegFormerNetwork
from keras_segformer.ops import predicted_labels
from keras_segformer.predict.enlarge import enlarge_argmax
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.logits import quarter_logits
from keras_segformer.runtime import IsolatedRunner, TFLiteRunner
from keras_segformer.runtime.border import NO_BORDER, Border, check_border
from keras_segformer.visualization import legend, overlay

from ..progress import Progress, silent

_NUM_WORST = 4
_RED = (220, 30, 30)
_SEEN = 1e-3  # share of positions above which a class cannot vanish by chance
_CAPTIONS = ("{name}: the network", "the file, {agreement:.2%} the same", "where they differ")
CAPTION_HEIGHT = 24  # pixels
_INK, _PAPER = (30, 30, 30), (255, 255, 255)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ComparedPicture:
    """The labels of the network and of the file for one image.

    Args:
        name: Name of the image.
        agreement: Share of positions with the same label.
        image: `(height, width, 3)`, uint8, resized to the input of the file.
        expected: Labels of the network, `(h, w)`, int32.
        actual: Labels of the file, `(h, w)`, int32.
    """

    name: str
    agreement: float
    image: np.ndarray
    expected: np.ndarray
    actual: np.ndarray

    @property
    def captions(self) -> tuple[str, ...]:
        """The captions of the three images of `panels`."""
        return tuple(caption.format(name=self.name, agreement=self.agreement) for caption in _CAPTIONS)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Verification:
    """How closely a file reproduces the labels of its network.

    Args:
        agreements: The share of positions with the same label, by the name of the image.
        confusion: Labels of the network by labels of the file.
        class_names: Names of the classes.
        worst: The images with the lowest agreement, the lowest first.
    """

    agreements: dict[str, float]
    confusion: ConfusionMatrix
    class_names: tuple[str, ...]
    worst: tuple[ComparedPicture, ...]

    @property
    def agreement(self) -> float:
        """The mean agreement of the images."""
        return float(np.mean(list(self.agreements.values())))

    @property
    def worst_agreement(self) -> float:
        """The lowest agreement of an image."""
        return min(self.agreements.values())

    @property
    def vanished(self) -> tuple[str, ...]:
        """Names of the classes that the network predicts and the file never does."""
        before, after = self._shares()
        return tuple(
            name for name, was, now in zip(self.class_names, before, after, strict=True) if was >= _SEEN and not now
        )

    def classes(self) -> list[dict[str, Any]]:
        """Returns the classes that either predicts, with their shares of all positions and the IoU of both."""
        iou = self.confusion.scores().iou
        before, after = self._shares()
        return [
            {"name": name, "share_before": float(was), "share_after": float(now), "iou": float(each)}
            for name, was, now, each in zip(self.class_names, before, after, iou, strict=True)
            if was or now
        ]

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON stores them."""
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
    content: bytes,
    model: SegFormerNetwork,
    images: Iterable[tuple[str, np.ndarray]],
    progress: Progress = silent,
    isolated: bool = True,
    border: Border = NO_BORDER,
    half: bool = False,
    name: str = "the file",
) -> Verification:
    """Run a file and its network on the same images and compare the labels.

    Args:
        content: The file. It takes pictures on the scale 0..255 and gives logits or labels.
        model: The network in Keras.
        images: Names and pictures `(H, W, 3)`, uint8, RGB, which are resized to the input of the file whatever their
            aspect ratio.
        progress: Called with progress updates.
        isolated: Whether the file runs in a process of its own, as files of unknown origin should.
        border: What the input of the file has around a picture.
        half: Whether the float operations of the file are computed in float16, in a process of its own.
        name: What messages call the file, such as its path.

    Returns:
        The comparison.

    Raises:
        MissingExtraError: LiteRT, which computes in float16, is not installed.
        ValueError: There is no image, the file and the network have different outputs, the file is damaged, or this
            machine cannot compute in float16.
    """
    images = list(images)
    if not images:
        raise ValueError("There is no image to compare a file and its network on; name some.")
    runner = _runner(content, name, isolated, half)
    check_tensors(runner.inputs, runner.outputs, name, takes_batches=True)
    check_border(border, runner.inputs[0].shape, runner.inputs[0].dtype, name)
    size = border.picture_size(runner.inputs[0].shape[1:3])
    num_classes = model.label_set.num_classes
    confusion, agreements = ConfusionMatrix(num_classes, ignore_index=-1), {}
    worst: list[ComparedPicture] = []
    advance = progress("Comparing with the network", len(images))
    resized = [np.rint(resized_rows(image, size)).astype(np.uint8) for _, image in images]
    bordered = [border.around(pixels) for pixels in resized]
    titles = distinct_names(title for title, _ in images)
    for title, pixels, actual in zip(titles, resized, _labels_of_file(runner, bordered, model), strict=True):
        expected = _labels_of_network(model, pixels, actual.shape)
        confusion.update(expected, actual)
        agreements[title] = float(np.mean(expected == actual))
        picture = ComparedPicture(
            name=title, agreement=agreements[title], image=pixels, expected=expected, actual=actual
        )
        worst = heapq.nsmallest(_NUM_WORST, [*worst, picture], key=lambda each: each.agreement)
        advance()
    return Verification(
        agreements=agreements, confusion=confusion, class_names=tuple(model.label_set.names), worst=tuple(worst)
    )


def _runner(content: bytes, name: str, isolated: bool, half: bool) -> IsolatedRunner | TFLiteRunner:
    if half:
        return _half_runner(content, name)
    return IsolatedRunner(content, name) if isolated else TFLiteRunner(content)


def _half_runner(content: bytes, name: str) -> IsolatedRunner:
    """In a process of its own, because LiteRT lists all accelerators that the machine lacks on the standard error."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "mobile")
    with IsolatedRunner(content, name):  # which says what is wrong with the file itself
        pass
    try:
        return IsolatedRunner(content, name, half=True, trial=False)
    except ValueError as error:
        raise ValueError(
            f"LiteRT does not compute the file in float16 on this machine ({error}); take one with AVX2 or ARMv8.2, or "
            "leave out `half` (--half)."
        ) from error


def draw_worst(verification: Verification, label_set: LabelSet) -> Image.Image:
    """Draw the images with the lowest agreement: network, file, and where they differ.

    Args:
        verification: The comparison.
        label_set: The colours.

    Returns:
        For every image a row of captions above a row of three panels, and a legend of the classes to the right.
    """
    rows = []
    for picture in verification.worst:
        row = np.concatenate(panels(picture, label_set), axis=1)
        rows += [_caption_row(picture.captions, row.shape[1]), row]
    drawing = np.concatenate(rows)
    colors = legend(_all_labels(verification), label_set, drawing.shape[0])
    return Image.fromarray(np.concatenate([drawing, colors], axis=1))


def panels(picture: ComparedPicture, label_set: LabelSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the labels of the network and of the file for an image.

    Args:
        picture: The labels of both.
        label_set: The colours.

    Returns:
        The labels of the network, those of the file, and red where they differ, each `(height, width, 3)`, uint8.
    """
    size = picture.image.shape[:2]
    differs = resize_labels(picture.expected != picture.actual, size)
    gray = np.repeat(picture.image.mean(axis=2, keepdims=True) * 0.5 + 100, 3, axis=2).astype(np.uint8)
    gray[differs] = _RED
    expected, actual = (
        overlay(picture.image, resize_labels(labels, size), label_set) for labels in (picture.expected, picture.actual)
    )
    return expected, actual, gray


def _caption_row(captions: Iterable[str], width: int) -> np.ndarray:
    captions = list(captions)
    image = Image.new("RGB", (width, CAPTION_HEIGHT), _PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(CAPTION_HEIGHT * 0.55)
    column = width // len(captions)
    for index, caption in enumerate(captions):
        text = _shortened(caption, font, column - 8)
        draw.text((index * column + 4, CAPTION_HEIGHT / 2), text, fill=_INK, font=font, anchor="lm")
    return np.array(image)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text, cut in front where it is wider than a panel: the end of a caption says what is shown."""
    while font.getlength(text) > width and len(text) > 1:
        text = "…" + text[2:]
    return text


def _all_labels(verification: Verification) -> np.ndarray:
    """Labels `(1, n)` of both on all the images that are drawn."""
    labels = [each.ravel() for picture in verification.worst for each in (picture.expected, picture.actual)]
    return np.concatenate(labels)[None]


def check_num_labels(num_labels: int, model: SegFormerNetwork) -> None:
    """Refuse a file with another number of classes than its network.

    Args:
        num_labels: How many labels the file tells apart.
        model: The network.

    Raises:
        ValueError: The network has another number.
    """
    expected = model.label_set.num_classes
    if num_labels != expected:
        raise ValueError(
            f"The file has {num_labels} classes and the network {expected}; name the preset that the file was "
            "converted from."
        )


def distinct_names(names: Iterable[str]) -> list[str]:
    """The names of images, numbered where images of several folders share one.

    Args:
        names: The names.

    Returns:
        As many names, all different unless a numbered one is taken.

    Example:

    >>> distinct_names(["a.png", "b.png", "a.png"])
    ['a.png', 'b.png', 'a.png (2)']
    """
    seen: collections.Counter[str] = collections.Counter()
    distinct = []
    for name in names:
        seen[name] += 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _labels_of_file(
    runner: IsolatedRunner | TFLiteRunner, images: list[np.ndarray], model: SegFormerNetwork
) -> Iterator[np.ndarray]:
    """The labels `(h, w)` of each image, computed in batches of the size that the file takes."""
    batch_size, expected = runner.inputs[0].shape[0], model.label_set.num_classes
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        filled = batch + [batch[-1]] * (batch_size - len(batch))
        [output] = runner(np.stack(filled))
        is_logits = np.issubdtype(output.dtype, np.floating)
        check_num_labels(max(2, output.shape[3]) if is_logits else max(output.max() + 1, expected), model)
        labels = predicted_labels(output) if is_logits else output.reshape(output.shape[:3])  # (B, h, w)
        yield from labels[: len(batch)]


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
