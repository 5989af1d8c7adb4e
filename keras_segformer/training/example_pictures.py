"""Pictures of a finished run: photographs beside their truth and their prediction."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_segformer.data.examples import NAME, Examples
from keras_segformer.files import atomic_file
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict import SizeChoice, segment
from keras_segformer.visualization import legend, overlay

NUM_PICTURES = 4
"""How many pictures of the validation split are drawn, always the first."""

_GAP = 6  # pixels
_WHITE = 255
_LOWEST_LEGEND = 160  # pixels


def first_examples(examples: Examples) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Decodes the first examples of a split.

    Args:
        examples: The split.

    Yields:
        Name, image `(H, W, 3)`, uint8, and mask `(H, W)`, uint8.
    """
    for record in itertools.islice(examples.encoded, NUM_PICTURES):
        image, mask = examples.decode(record)
        yield record[NAME].numpy().decode(), image.numpy(), mask.numpy()


def write_examples(folder: Path, model: SegFormerNetwork, examples: Examples, size: SizeChoice) -> None:
    """Draws the first examples of a split with their predictions.

    Args:
        folder: Where the PNG files go, which are called after the pictures; made if it is missing.
        model: The network.
        examples: The split.
        size: The size at which the network sees a picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, image, mask in first_examples(examples):
        drawn = draw_example(image, mask, segment(model, image, size=size), model.label_set)
        with atomic_file(folder / f"{name.replace('/', '_')}.png") as temporary:
            Image.fromarray(drawn).save(temporary, format="PNG")


def draw_example(image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Draws a photograph, its truth and its prediction side by side, with a legend of the classes in either.

    Args:
        image: `(H, W, 3)`, uint8.
        truth: Class indices `(H, W)`, integer.
        prediction: Class indices `(H, W)`, integer.
        label_set: Names and colours of the classes.

    Returns:
        `(height, width, 3)`, uint8; higher than the photograph where that leaves no room for the legend.
    """
    gap = np.full((image.shape[0], _GAP, 3), _WHITE, np.uint8)
    overlays = (overlay(image, labels, label_set) for labels in (truth, prediction))
    panels = np.hstack([part for panel in (image, *overlays) for part in (panel, gap)])
    below = max(0, _LOWEST_LEGEND - panels.shape[0])
    panels = np.pad(panels, ((0, below), (0, 0), (0, 0)), constant_values=_WHITE)
    labels = np.concatenate([truth.ravel(), prediction.ravel()])[np.newaxis]  # (1, 2 * H * W)
    return np.hstack([panels, legend(labels, label_set, height=panels.shape[0])])
