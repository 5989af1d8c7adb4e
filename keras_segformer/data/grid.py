"""Draws augmented samples, to see what a network is trained on."""

from __future__ import annotations

import math

import numpy as np

from keras_segformer.data.examples import Examples
from keras_segformer.data.pipeline import Augment, training_dataset
from keras_segformer.visualization import legend, overlay

_GAP = 6  # pixels
_PAPER = 255


def sample_grid(examples: Examples, augmentation: Augment, count: int = 12, seed: int = 0) -> np.ndarray:
    """Draws the first samples of a training run, each beside its mask, and a legend.

    Args:
        examples: The examples; if there are fewer than `count`, they are repeated with another augmentation.
        augmentation: As `training_dataset` takes it.
        count: The number of samples, at least 1.
        seed: Number of the run.

    Returns:
        `(height, width, 3)`, uint8.

    Example:

    ```python
    Image.fromarray(sample_grid(examples, Augmentation((512, 512)))).save("samples.png")
    ```
    """
    dataset = training_dataset(examples, augmentation, batch_size=1, seed=seed)
    samples = [(image[0], mask[0]) for image, mask in dataset.take(count).as_numpy_iterator()]
    tiles = [np.hstack([image, overlay(image, mask, examples.label_set)]) for image, mask in samples]
    grid = _arrange(tiles)
    labels = np.concatenate([mask.ravel() for _, mask in samples])[np.newaxis]
    return np.hstack([grid, legend(labels, examples.label_set, height=grid.shape[0])])


def _arrange(tiles: list[np.ndarray]) -> np.ndarray:
    """Tiles of one size in rows on white, in a picture about as high as wide."""
    height, width, _ = tiles[0].shape
    columns = math.ceil(math.sqrt(len(tiles) * height / width))
    framed = [np.pad(tile, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=_PAPER) for tile in tiles]
    framed += [np.full_like(framed[0], _PAPER)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(framed[start : start + columns]) for start in range(0, len(framed), columns)])
