"""What workers are told, and the model that each loads for itself."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_segformer.errors import InvalidImageError
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.label_sets import LabelSet
from keras_segformer.predict import SizeChoice
from keras_segformer.segformer import SegFormer

SegmentMany = Callable[[list[np.ndarray]], list[np.ndarray]]


@dataclasses.dataclass(frozen=True)
class ModelChoice:
    """Names a model, so that it is the name that travels to workers and not the weights.

    Args:
        preset: As for `SegFormer.from_preset`; `None` for a TF Lite file.
        file: The path of a TF Lite file; `None` for a preset.
        size: As for `keras_segformer.predict.segment`, for presets alone.
        antialias: As for `keras_segformer.predict.segment`, for presets alone.
        threads: How many threads a worker computes with. Several workers on one machine get in each other's way
            unless each takes its share of the processor; `None` for all of it.

    Raises:
        ValueError: There is not exactly one of `preset` and `file`.

    Example:

    >>> ModelChoice(preset="b0_camvid", threads=1).load().label_set.num_classes
    11
    """

    preset: str | None = None
    file: str | None = None
    size: SizeChoice = "aligned"
    antialias: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        if (self.preset is None) == (self.file is None):
            raise ValueError("a model is a preset or a TF Lite file; name one, as in ModelChoice(preset='b0_camvid')")

    @property
    def name(self) -> str:
        """What messages call the model."""
        return str(self.preset or self.file)

    def load(self) -> LoadedModel:
        """Loads the model.

        Returns:
            The model.

        Raises:
            FileNotFoundError: There is no such TF Lite file.
            InvalidPresetError: The preset's files are broken.
            PresetNotFoundError: There is no such preset.
            ValueError: The TF Lite file is not one, or does not say how many classes it has.
        """
        if self.file is not None:
            model = TFLiteModel(self.file, threads=self.threads)
            digest = hashlib.sha256(model.content).hexdigest()
            return LoadedModel(lambda pictures: list(map(model.segment, pictures)), model.known_label_set, digest)
        _limit_threads(self.threads)
        network = SegFormer.from_preset(str(self.preset))
        segment = functools.partial(network.segment, size=self.size, antialias=self.antialias)
        return LoadedModel(segment, network.label_set, _digest(network))


@dataclasses.dataclass(frozen=True)
class LabelJob:
    """What workers are to know.

    Args:
        output: Where the results go.
        to_do: What `Results.read_list` takes.
        model: The model.
        label_set: Names and colours of its classes.
        sha256: Its SHA-256.
        bit_depth: As for `keras_segformer.images.load_image`.
    """

    output: str
    to_do: str
    model: ModelChoice
    label_set: LabelSet
    sha256: str
    bit_depth: int | None = None


class LoadedModel:
    """A model in the memory of a worker.

    Args:
        segment: Finds the labels `(H, W)` of every picture of a list.
        label_set: Names and colours of the classes.
        sha256: The SHA-256 of the TF Lite file, or of the hyper-parameters and weights of a preset, in hexadecimal.
    """

    def __init__(self, segment: SegmentMany, label_set: LabelSet, sha256: str) -> None:
        self._segment, self.label_set, self.sha256 = segment, label_set, sha256

    def segment(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray | InvalidImageError]:
        """Finds the class of every pixel of several pictures.

        Args:
            pictures: Each `(H, W, 3)`, uint8, RGB.

        Returns:
            For every picture its labels `(H, W)`, those of `SegFormer.segment`, or the reason why it has none.

        Raises:
            ValueError: The logits are not finite.
        """
        try:
            return list(self._segment(list(pictures)))
        except InvalidImageError as error:
            if len(pictures) == 1:
                return [error]
        return [labels for picture in pictures for labels in self.segment([picture])]


def _limit_threads(threads: int | None) -> None:
    """Sets how many threads TensorFlow computes with, where it has not begun to compute in this process."""
    if threads is None or keras.backend.backend() != "tensorflow":
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _digest(network: SegFormer) -> str:
    digest = hashlib.sha256(json.dumps(network.config.to_dict(), sort_keys=True).encode())
    for weight in network.weights:  # without their paths, which count the models of a process
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()
