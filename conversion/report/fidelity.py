"""How closely one network follows another."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_segformer.evaluation.interpreter import make_interpreter
from keras_segformer.ops import predicted_labels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How closely a file follows the float network, on some images.

    Args:
        images: Number of images.
        agreement: Share of the positions at a quarter of the size with the same label, the mean of the images.
        worst_agreement: That of the image with the least.
        error: Mean squared difference of the logits, relative to their variance, the mean of the images; `None` where
            one of both gives labels alone.
    """

    images: int
    agreement: float
    worst_agreement: float
    error: float | None

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return dataclasses.asdict(self)


def compare_outputs(reference: np.ndarray, outputs: np.ndarray) -> Fidelity:
    """Compare what two networks gave for the same images.

    Args:
        reference: Logits `(images, h, w, classes)`.
        outputs: Logits of the same shape, or labels `(images, h, w)`.

    Returns:
        The figures.

    Raises:
        ValueError: The shapes do not belong together.

    Example:

    >>> logits = np.eye(3)[None, None]  # one image of 1x3
    >>> compare_outputs(logits, np.array([[[0, 1, 1]]])).agreement
    0.6666666666666666
    """
    labels = predicted_labels(reference)
    if outputs.shape not in (reference.shape, labels.shape):
        raise ValueError(f"Outputs of the shapes {reference.shape} and {outputs.shape} cannot be compared.")
    has_logits = outputs.shape == reference.shape
    same = np.mean(labels == (predicted_labels(outputs) if has_logits else outputs), axis=(1, 2))
    error = None
    if has_logits:
        axes = (1, 2, 3)
        variance = np.maximum(np.var(reference, axis=axes, dtype=np.float64), np.finfo(np.float32).tiny)
        error = float(np.mean(np.mean(np.square(outputs - reference), axis=axes, dtype=np.float64) / variance))
    return Fidelity(images=len(same), agreement=float(same.mean()), worst_agreement=float(same.min()), error=error)


def run_file(content: bytes, images: Iterable[np.ndarray], num_threads: int | None = None) -> np.ndarray:
    """Run a TF Lite file on images of its size.

    Args:
        content: The file.
        images: Each `(height, width, 3)`, uint8.
        num_threads: Number of threads; `None` leaves it to the interpreter.

    Returns:
        What the file gives for all images, float32 or int32.
    """
    interpreter = make_interpreter(content, num_threads)
    [details], [result] = interpreter.get_input_details(), interpreter.get_output_details()
    outputs = []
    for image in images:
        interpreter.set_tensor(details["index"], image[None].astype(details["dtype"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(result["index"]))
    return np.concatenate(outputs)
