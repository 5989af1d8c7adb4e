"""Agreement between the outputs of two networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_segformer.ops import predicted_labels
from keras_segformer.runtime import TFLiteRunner


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How closely a file reproduces the outputs of the float network.

    Args:
        images: Number of images.
        agreement: Share of positions at a quarter of the size with the same label, averaged over the images.
        worst_agreement: The same for the image with the lowest agreement.
        error: Mean squared error of the logits divided by their variance, averaged over the images; `None` if the file
            outputs labels.
    """

    images: int
    agreement: float
    worst_agreement: float
    error: float | None

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON stores them."""
        return dataclasses.asdict(self)


def compare_outputs(reference: np.ndarray, outputs: np.ndarray) -> Fidelity:
    """Compare the outputs of two networks for the same images.

    Args:
        reference: Logits `(images, h, w, classes)`.
        outputs: Logits of the same shape, or labels `(images, h, w)`.

    Returns:
        The figures.

    Raises:
        ValueError: The shapes do not match.

    Example:

    >>> logits = np.eye(3)[None, None]  # one image of 1x3
    >>> compare_outputs(logits, np.array([[[0, 1, 1]]])).agreement
    0.6666666666666666
    """
    labels = predicted_labels(reference)
    if outputs.shape not in (reference.shape, labels.shape):
        raise ValueError(
            f"Outputs of the shapes {reference.shape} and {outputs.shape} cannot be compared; run both networks on the "
            "same images at the same size."
        )
    has_logits = outputs.shape == reference.shape
    same = np.mean(labels == (predicted_labels(outputs) if has_logits else outputs), axis=(1, 2))
    error = None
    if has_logits:
        axes = (1, 2, 3)
        variance = np.maximum(np.var(reference, axis=axes, dtype=np.float64), np.finfo(np.float32).tiny)
        error = float(np.mean(np.mean(np.square(outputs - reference), axis=axes, dtype=np.float64) / variance))
    return Fidelity(images=len(same), agreement=float(same.mean()), worst_agreement=float(same.min()), error=error)


def run_file(content: bytes, images: Iterable[np.ndarray], num_threads: int | None = None) -> np.ndarray:
    """Run a TF Lite file on images of its size, in this process.

    Args:
        content: A file that this process has written.
        images: Each `(height, width, 3)`, uint8.
        num_threads: Number of threads; `None` leaves it to the runtime.

    Returns:
        The outputs for all images, float32 or int32.
    """
    runner = TFLiteRunner(content, num_threads)
    return np.concatenate([runner(image[None])[0] for image in images])
