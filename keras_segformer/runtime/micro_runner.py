"""The runner of TF Lite files by TF Lite Micro, the interpreter of microcontrollers.

Like `runner`, it imports nothing of this package outside of its folder.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .runner import TensorDetails

_ARENA_PER_BYTE = 20  # of the file; more than any of ours needs, and only untouched memory otherwise
_LEAST_ARENA = 2_000_000
# The numbers are printed on the standard error alone, which is read best from another process.
_PRINT_ALLOCATIONS = """
import sys, numpy
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[2]))
details = interpreter.get_input_details(0)
interpreter.set_input(numpy.zeros(details["shape"], details["dtype"]), 0)
interpreter.invoke()
interpreter.print_allocations()
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arena:
    """The memory that TF Lite Micro needs for a file, but for its code and stack.

    Args:
        activations: Bytes that tensors share, one after the other ("head").
        descriptions: Bytes that describe tensors and operations ("tail"). Pointers have 8 bytes on the machine that
            measures and 4 on a microcontroller, where this is less.
    """

    activations: int
    descriptions: int

    @property
    def total(self) -> int:
        """All bytes."""
        return self.activations + self.descriptions


class MicroRunner:
    """A TF Lite file as a function, run by TF Lite Micro in this process.

    Args:
        content: The bytes of a file of one input, which must be of trusted origin.

    Attributes:
        inputs: The input.
        outputs: The output.

    Raises:
        ImportError: tflite-micro is not installed.
        RuntimeError: It lacks an operation of the file.

    Example:

    ```python
    [labels] = MicroRunner(Path("micro.tflite").read_bytes())(picture[np.newaxis])
    ```
    """

    def __init__(self, content: bytes) -> None:
        from tflite_micro import runtime

        self._interpreter = runtime.Interpreter.from_bytes(content, arena_size=_arena_size(content))
        self.inputs = (_details(self._interpreter.get_input_details(0)),)
        self.outputs = (_details(self._interpreter.get_output_details(0)),)

    def __call__(self, values: np.ndarray) -> list[np.ndarray]:
        """Run the file.

        Args:
            values: The input as numbers; they are quantized as the file needs them.

        Returns:
            The output as numbers: float32 where it is quantized, otherwise in its own type.
        """
        return [self.outputs[0].dequantize(self.run_integers(self.inputs[0].quantize(np.asarray(values))))]

    def run_integers(self, values: np.ndarray) -> np.ndarray:
        """Run the file.

        Args:
            values: The input in its own type.

        Returns:
            The output in its own type.
        """
        self._interpreter.set_input(values, 0)
        self._interpreter.invoke()
        return self._interpreter.get_output(0)


def micro_arena(content: bytes) -> Arena:
    """Measure the memory that TF Lite Micro needs for a file.

    Args:
        content: The file.

    Returns:
        What its recording allocator counts after a run.

    Raises:
        ValueError: tflite-micro is not installed, or does not run the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        command = [sys.executable, "-c", _PRINT_ALLOCATIONS, str(path), str(_arena_size(content))]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = dict(re.findall(r"Arena allocation (head|tail) (\d+) bytes", finished.stderr))
    if finished.returncode or len(counts) != 2:
        reason = " ".join(finished.stderr.split())[-300:]
        raise ValueError(
            f"TF Lite Micro does not run the file ({reason}); install keras-segformer[micro], and convert it with "
            "--for mcu."
        )
    return Arena(activations=int(counts["head"]), descriptions=int(counts["tail"]))


def _arena_size(content: bytes) -> int:
    return max(_LEAST_ARENA, _ARENA_PER_BYTE * len(content))


def _details(details: dict[str, Any]) -> TensorDetails:
    quantization = details["quantization_parameters"]
    scales, zero_points = list(quantization["scales"]), list(quantization["zero_points"])
    shape = tuple(int(length) for length in details["shape"])
    return TensorDetails(
        name="",
        shape=shape,
        shape_signature=shape,
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scales[0]) if scales else 0.0,
        zero_point=int(zero_points[0]) if zero_points else 0,
    )
