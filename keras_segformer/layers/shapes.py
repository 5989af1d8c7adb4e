"""Arithmetic of feature map sizes."""

from __future__ import annotations


def convolved_size(size: int | None, kernel: int, stride: int, padding: int) -> int | None:
    """Length of a convolution's output along one axis.

    Args:
        size: Length of the input in pixels, `None` where unknown.
        kernel: Kernel length.
        stride: Stride.
        padding: Zeros added at either end.

    Returns:
        `floor((size + 2 padding - kernel) / stride) + 1`, or `None`.

    Example:

    >>> convolved_size(513, kernel=7, stride=4, padding=3)
    129
    """
    return None if size is None else (size + 2 * padding - kernel) // stride + 1
