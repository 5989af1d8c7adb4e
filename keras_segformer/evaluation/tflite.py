"""TF Lite files as models that segment pictures of any size."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.evaluation.tflite_tensors import check_tensors
from keras_segformer.images import ImageSource, load_image
from keras_segformer.json_text import read_json
from keras_segformer.label_sets import LabelSet
from keras_segformer.ops import with_channel_per_label
from keras_segformer.predict.interpolation import resized_rows, resized_with_antialiasing
from keras_segformer.predict.sizes import Size
from keras_segformer.predict.views import View, label_map
from keras_segformer.runtime import IsolatedRunner, TFLiteRunner
from keras_segformer.runtime.border import NO_BORDER, Border, check_border
from keras_segformer.runtime.micro_runner import MicroRunner

_IDENTIFIER = b"TFL3"


class TFLiteModel:
    """A segmentation network as a TF Lite file, run by LiteRT where it is installed and by TensorFlow otherwise.

    Its input is one picture of a fixed size, or of the size that a resizable file starts with, RGB on the scale 0..255,
    float32 or quantised to 8 bits. Its output is either logits `(1, h, w, classes)` at any stride, float32 or
    quantised, or labels `(1, h, w)` or `(1, h, w, 1)`, int32 or int64.

    Args:
        path: The file. A JSON file of the same name beside it may name the classes under `label_set`, in the form
            of `LabelSet.to_dict`, and under `input` a border around the picture, in that of `Border.to_dict`.
        isolated: Whether the file runs in a process of its own, which a damaged file can kill without harm to this
            one. Choose `False` only for files from a source that you trust.
        threads: How many threads it runs on; by default one for every core.
        microcontroller: Whether TF Lite Micro runs the file, in this process, instead of LiteRT.

    Attributes:
        content: The bytes that are run.
        input_size: `(height, width)` in pixels at which the network sees pictures.
        gives_labels: Whether the output is labels rather than logits.
        num_labels: The number of labels; `None` if the output is labels and no label set is known.
        label_set: Names of the classes, if the JSON file has them.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a TF Lite file, it kills the process that runs it, or its input or output is of another
            kind.

    Example:

    ```python
    labels = TFLiteModel("b0.tflite").segment(image)
    ```
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        isolated: bool = True,
        threads: int | None = None,
        *,
        microcontroller: bool = False,
    ) -> None:
        self.path = Path(path)
        self.content = _read(self.path)
        if microcontroller:
            self._runner = MicroRunner(self.content)
        else:
            self._runner = _start(self.content, self.path, isolated, threads or os.cpu_count())
        self.gives_labels = check_tensors(self._runner.inputs, self._runner.outputs, str(self.path))
        [self._input], [self._output] = self._runner.inputs, self._runner.outputs
        facts = facts_beside(self.path, self.content)
        self._border = border_of_facts(facts, self.path)
        check_border(self._border, self._input.shape, self._input.dtype, str(self.path))
        self.input_size: Size = self._border.picture_size(self._input.shape[1:3])
        self.label_set = LabelSet.from_dict(facts["label_set"]) if "label_set" in facts else None
        self.num_labels = self._count_labels()

    @property
    def known_label_set(self) -> LabelSet:
        """Names and colours of the classes, numbered ones where the JSON file has none.

        Raises:
            ValueError: How many classes there are is not known.
        """
        if self.label_set is not None:
            return self.label_set
        if self.num_labels is None:
            raise ValueError(
                f"'{self.path}' gives labels, and how many there are is not known; put the JSON file that convert "
                "wrote beside it"
            )
        return LabelSet.generic(self.num_labels)

    def segment(self, image: ImageSource, flip: bool = False, antialias: bool = False) -> np.ndarray:
        """Find the class of every pixel.

        Args:
            image: As for `keras_segformer.images.load_image`. It is resized to `input_size`, whatever its aspect ratio.
            flip: Whether the probabilities of the mirrored picture are averaged in.
            antialias: Whether the picture is resized with antialiasing.

        Returns:
            `(H, W)`, integer.

        Raises:
            FileNotFoundError: There is no such picture.
            InvalidImageError: The picture cannot be read.
            ValueError: The logits are not finite, `flip` is asked of a file whose output is labels, or the file has
                killed its process.
        """
        image = load_image(image)
        if self.gives_labels:
            return self._segment_by_labels(image, flip, antialias)
        views = [self.view(image, antialias)]
        if flip:
            views.append(self.view(image[:, ::-1], antialias).mirrored())
        return label_map(views, image.shape[:2])

    def view(self, image: np.ndarray, antialias: bool = False) -> View:
        """Find the logits of a picture.

        Args:
            image: `(H, W, 3)`, uint8, RGB.
            antialias: Whether the picture is resized with antialiasing.

        Returns:
            The logits at the size of the output.

        Raises:
            ValueError: They are not finite, or the file has killed its process.
        """
        logits = self._run(image, antialias)  # (1, h, w, C)
        if not np.isfinite(logits).all():
            raise ValueError(f"The logits of '{self.path}' are NaN or infinite; convert the model again, in float32.")
        logits = with_channel_per_label(logits)
        return View(bands=logits, grid=logits.shape[1:3])

    def _segment_by_labels(self, image: np.ndarray, flip: bool, antialias: bool) -> np.ndarray:
        if flip:
            raise ValueError(
                f"'{self.path}' gives labels, and those of a mirrored picture cannot be averaged in; leave --flip out, "
                "or convert the model with logits as its output."
            )
        return resize_labels(self.output_labels(image, antialias), image.shape[:2])

    def output_labels(self, image: np.ndarray, antialias: bool = False) -> np.ndarray:
        """Find the labels of a picture by a file whose output is labels.

        Args:
            image: `(H, W, 3)`, uint8, RGB.
            antialias: Whether the picture is resized with antialiasing.

        Returns:
            `(h, w)`, integer, at the size of the output.

        Raises:
            ValueError: The file has killed its process.
        """
        labels = self._run(image, antialias)  # (1, h, w) or (1, h, w, 1)
        return labels.reshape(labels.shape[1:3])

    def _run(self, image: np.ndarray, antialias: bool) -> np.ndarray:
        resized = resized_with_antialiasing if antialias else resized_rows
        [output] = self._runner(self._border.around(resized(image, self.input_size))[None])
        return output

    def _count_labels(self) -> int | None:
        named = self.label_set.num_classes if self.label_set else None
        if self.gives_labels:
            return named
        channels = self._output.shape[3]
        if self.label_set and not self.label_set.fits(channels):
            raise ValueError(
                f"'{self.path.with_suffix('.json')}' names {named} classes, but the model has {channels}; convert the "
                "model again, or remove the JSON file."
            )
        return max(2, channels)


def resize_labels(labels: np.ndarray, size: Size) -> np.ndarray:
    """Resize labels by nearest-neighbour interpolation with half-pixel centres.

    Args:
        labels: `(h, w)`, of any type.
        size: `(height, width)` of the result.

    Returns:
        `(height, width)`.

    Example:

    >>> resize_labels(np.array([[0, 1]]), (1, 4)).tolist()
    [[0, 0, 1, 1]]
    """
    rows, columns = (
        ((np.arange(target) + 0.5) * source / target).astype(np.intp)
        for source, target in zip(labels.shape, size, strict=True)
    )
    return labels[rows[:, None], columns]


def facts_beside(path: Path, content: bytes) -> dict[str, Any]:
    """Read the JSON file that `convert` writes beside a TF Lite file.

    Args:
        path: The TF Lite file.
        content: Its content.

    Returns:
        What the JSON file says; nothing if there is none.

    Raises:
        ValueError: The JSON file is broken, or describes another file.

    Example:

    >>> facts_beside(Path("nowhere.tflite"), b"")
    {}
    """
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        facts = read_json(beside)
    except ValueError as error:
        raise ValueError(f"'{beside}' is not valid JSON ({error}); convert the model again, or remove it.") from error
    if not isinstance(facts, dict):
        return {}
    recorded = facts.get("sha256")
    if recorded is not None and recorded != hashlib.sha256(content).hexdigest():
        raise ValueError(
            f"'{beside}' describes another file than '{path}', whose SHA-256 it does not have; convert the model "
            "again, or remove the JSON file."
        )
    return facts


def border_of_facts(facts: dict[str, Any], path: Path) -> Border:
    """Find what a file expects around a picture.

    Args:
        facts: The result of `facts_beside`.
        path: The TF Lite file.

    Returns:
        The border; none if the facts say nothing about a border.

    Raises:
        ValueError: What they say is broken.

    Example:

    >>> border_of_facts({}, Path("b0.tflite")).padded_size((96, 96))
    (96, 96)
    """
    described = facts.get("input")
    values = described.get("border") if isinstance(described, dict) else None
    if values is None:
        return NO_BORDER
    try:
        return Border.from_dict(dict(values))
    except (ValueError, TypeError) as error:
        raise ValueError(f"'{path.with_suffix('.json')}' is broken ({error}); convert the model again.") from error


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"There is no file '{path}'; check the path.")
    content = path.read_bytes()
    if content[4:8] != _IDENTIFIER:
        raise ValueError(f"'{path}' is not a TF Lite file; name one whose name ends in .tflite.")
    return content


def _start(content: bytes, path: Path, isolated: bool, threads: int | None) -> IsolatedRunner | TFLiteRunner:
    if isolated:
        return IsolatedRunner(content, str(path), threads)
    try:
        return TFLiteRunner(content, threads)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"'{path}' cannot be run as a TF Lite file ({error}); convert it again.") from error
