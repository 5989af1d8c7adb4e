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
        divergence: What `divergence` returns for the logits; `None` if the file outputs labels.
    """

    images: int
    agreement: float
    worst_agreement: float
    divergence: float | None

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
    return Fidelity(
        images=len(same),
        agreement=float(same.mean()),
        worst_agreement=float(same.min()),
        # One image at a time, since the temporary arrays are several times as large as the logits.
        divergence=float(np.mean(list(map(divergence, reference, outputs)))) if has_logits else None,
    )


def divergence(reference: np.ndarray, logits: np.ndarray) -> float:
    """Compute the mean Kullback-Leibler divergence between the class probabilities of two networks.

    Unlike the squared error of logits, it weighs what labels depend on: positions where two classes are close, and
    there the classes that may be the largest.

    Args:
        reference: Logits `(..., classes)` of the network whose probabilities are right; a single one is of two classes.
        logits: Logits of the other network, of the same shape.

    Returns:
        The mean over the positions, in nats; 0 for the same probabilities.

    Example:

    >>> logits = np.array([[2.0, 1.0, -9.0]])
    >>> small, large = np.array([[0.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 0.0]])
    >>> divergence(logits, logits + 1) < divergence(logits, logits + small) < divergence(logits, logits + large)
    True
    """
    expected = _log_probabilities(reference)
    change = _log_probabilities(logits) - expected
    weights = np.exp(expected)
    # Both kinds of probabilities sum to 1, hence the divergence is the sum of p (q / p - 1 - log(q / p)): of numbers
    # that are not negative, so that small differences do not drown in rounding. Large ones would overflow.
    small = weights * (np.expm1(np.minimum(change, 1)) - change)
    terms = np.where(change > 1, np.exp(expected + change) - weights * (1 + change), small)
    return float(np.mean(np.sum(terms, axis=-1), dtype=np.float64))


def _log_probabilities(logits: np.ndarray) -> np.ndarray:
    if logits.shape[-1] == 1:
        logits = np.concatenate([logits, np.zeros_like(logits)], axis=-1)
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


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
