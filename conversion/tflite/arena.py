"""The memory that the tensors of a TF Lite file need."""

from __future__ import annotations

from keras_segformer.runtime import IsolatedRunner, TFLiteRunner

from .reader import read_tflite


def arena_bytes(content: bytes, isolated_as: str | None = None) -> int:
    """Measure the memory of all tensors but the weights, without delegates.

    Args:
        content: A TF Lite file.
        isolated_as: What error messages call a file of unknown origin, which is loaded in a process of its own;
            `None` to load the file in this process.

    Returns:
        The number of bytes covered by at least one tensor. Weights that are unpacked first, such as those of float16
        files, count.

    Raises:
        ValueError: The file is damaged or kills its process.
    """
    file = read_tflite(content)
    stored = [tensor.data is not None for tensor in file.tensors[: file.tensor_counts[0]]]
    if isolated_as:
        with IsolatedRunner(content, isolated_as, delegates=False, trial=False) as runner:
            ranges = runner.address_ranges(len(stored))
    else:
        ranges = TFLiteRunner(content, delegates=False).address_ranges(len(stored))
    total, covered = 0, 0
    for start, end in sorted(each for each, has_data in zip(ranges, stored, strict=True) if not has_data):
        total += max(0, end - max(start, covered))
        covered = max(covered, end)
    return total
