"""The runner of TF Lite files: load, set inputs, invoke, read outputs.

Both `keras_segformer.evaluation` and `keras_segformer.conversion` run files, so the runner lies below them. It imports
nothing of this package, because `worker.py` also loads it in processes that must stay small.
"""

from __future__ import annotations

import dataclasses
import math
import os
import time
import warnings
from typing import Any

import numpy as np

_FORCE_FP16 = 4  # TFLITE_XNNPACK_DELEGATE_FLAG_FORCE_FP16 of xnnpack_delegate.h
_QUANTIZED_TYPES = ("int8", "uint8", "int16")
_WITHOUT_DELEGATES = "BUILTIN_WITHOUT_DEFAULT_DELEGATES"
SLOW_INTEGERS = (
    "LiteRT is not installed, so TensorFlow computes the integers of this file without XNNPACK, which gets some of "
    "them wrong: exact, but slow; run `pip install 'keras-segformer[mobile]'`."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorDetails:
    """An input or output of a file.

    Args:
        name: Its name.
        shape: Its shape.
        shape_signature: Its shape with -1 for axes whose length is set at run time.
        dtype: NumPy's name of its type, such as `"uint8"`.
        scale: Scale of a quantized tensor; 0 where the integers are the values themselves.
        zero_point: Zero point of a quantized tensor.
    """

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    def quantize(self, values: np.ndarray) -> np.ndarray:
        """Convert numbers to the tensor's type.

        Args:
            values: The numbers, of any type.

        Returns:
            The same shape in the tensor's type, quantized with its scale and zero point if it has them.
        """
        if self.dtype not in _QUANTIZED_TYPES:
            return values.astype(self.dtype)
        limits = np.iinfo(self.dtype)
        return np.clip(np.rint(values / (self.scale or 1) + self.zero_point), limits.min, limits.max).astype(self.dtype)

    def dequantize(self, values: np.ndarray) -> np.ndarray:
        """Convert the tensor's values to numbers.

        Args:
            values: What the tensor holds.

        Returns:
            float32 for quantized tensors, otherwise the values as they are.
        """
        if self.dtype not in _QUANTIZED_TYPES:
            return values
        return (values.astype(np.float32) - self.zero_point) * np.float32(self.scale or 1)


class TFLiteRunner:
    """A TF Lite file as a function, run in this process.

    A damaged file can kill the process: run files of unknown origin with `IsolatedRunner`. LiteRT runs the file where
    it is installed, otherwise TensorFlow: files with INT8 tensors without XNNPACK, and with a warning.

    Args:
        model: The bytes of the file, which LiteRT verifies before it uses them; or its path, which is mapped into
            memory unverified.
        num_threads: Number of threads; `None` leaves it to the runtime.
        delegates: Whether XNNPACK may take part. Without it, all tensors lie in the interpreter's arena.
        keep_tensors: Whether intermediate tensors can be read after a run.

    Attributes:
        inputs: The inputs.
        outputs: The outputs.

    Raises:
        ValueError: The file is damaged, or the runtime lacks one of its operations.
        RuntimeError: Likewise; older runtimes raise this.

    Example:

    ```python
    runner = TFLiteRunner(Path("b0.tflite").read_bytes(), num_threads=2)
    [labels] = runner(image[np.newaxis])
    ```
    """

    def __init__(
        self,
        model: bytes | str | os.PathLike[str],
        num_threads: int | None = None,
        *,
        delegates: bool = True,
        keep_tensors: bool = False,
    ) -> None:
        source = {"model_content": model} if isinstance(model, bytes) else {"model_path": os.fspath(model)}
        options = source | {"num_threads": num_threads, "experimental_preserve_all_tensors": keep_tensors}
        self._interpreter = _make_interpreter(options, delegates)
        self._interpreter.allocate_tensors()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input_indices = [each["index"] for each in inputs]
        self._output_indices = [each["index"] for each in outputs]
        self.inputs = tuple(_details(each) for each in inputs)
        self.outputs = tuple(_details(each) for each in outputs)

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """Run the file.

        Args:
            values: The inputs as numbers; they are quantized as the file needs them.

        Returns:
            The outputs as numbers: float32 where they are quantized, otherwise in their own type.
        """
        self.set_inputs(*values)
        self.invoke()
        return self.read_outputs()

    def set_inputs(self, *values: np.ndarray) -> None:
        """Set the inputs.

        Args:
            values: The inputs as numbers; they are quantized as the file needs them.
        """
        for index, details, value in zip(self._input_indices, self.inputs, values, strict=True):
            self._interpreter.set_tensor(index, details.quantize(np.asarray(value)))

    def invoke(self) -> float:
        """Run the file on the inputs that were set.

        Returns:
            The seconds that it took.
        """
        start = time.perf_counter()
        self._interpreter.invoke()
        return time.perf_counter() - start

    def read_outputs(self) -> list[np.ndarray]:
        """Read the outputs of the last run.

        Returns:
            The outputs as numbers: float32 where they are quantized, otherwise in their own type.
        """
        return [
            details.dequantize(self._interpreter.get_tensor(index))
            for index, details in zip(self._output_indices, self.outputs, strict=True)
        ]

    def tensor_indices(self) -> dict[str, int]:
        """Look up the tensors of the file.

        Returns:
            The indices that `read_tensor` takes, by the tensors' names.
        """
        return {each["name"]: each["index"] for each in self._interpreter.get_tensor_details()}

    def read_tensor(self, index: int) -> np.ndarray:
        """Read an intermediate tensor after a run, for which the runner has to keep tensors.

        Args:
            index: Index of the tensor.

        Returns:
            A copy of its values.
        """
        return self._interpreter.get_tensor(index)

    def address_ranges(self, count: int) -> list[tuple[int, int]]:
        """Find where tensors lie in memory.

        Args:
            count: The number of tensors of the file's first graph.

        Returns:
            The address of the first byte of every tensor and that behind the last; `(0, 0)` for unused tensors.
        """
        return [_address_range(self._interpreter.tensor(index)()) for index in range(count)]


class HalfRunner(TFLiteRunner):
    """A TF Lite file as a function, of which XNNPACK computes all float operations in float16.

    CPUs with AVX2 emulate such arithmetic where they lack it: every operation is computed in float32 and rounded, which
    has the range and nearly the precision of float16, and takes longer than float32.

    Args:
        model: The bytes of the file.
        options: Those of `TFLiteRunner`.

    Raises:
        ImportError: LiteRT is not installed.
        RuntimeError: This CPU cannot do so.
    """

    def __init__(self, model: bytes, **options: Any) -> None:
        super().__init__(model, **options)
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.cpu_options import CpuOptions
        from ai_edge_litert.options import Options

        choices = Options(cpu_options=CpuOptions(xnnpack_flags=_FORCE_FP16))
        self._model = CompiledModel.from_buffer(model, options=choices)
        self._input_buffers = self._model.create_input_buffers(0)
        self._output_buffers = self._model.create_output_buffers(0)

    def set_inputs(self, *values: np.ndarray) -> None:
        """Set the inputs; see `TFLiteRunner.set_inputs`."""
        for buffer, details, value in zip(self._input_buffers, self.inputs, values, strict=True):
            buffer.write(np.ascontiguousarray(details.quantize(np.asarray(value))))

    def invoke(self) -> float:
        """Run the file on the inputs that were set and return the seconds that it took."""
        start = time.perf_counter()
        self._model.run_by_index(0, self._input_buffers, self._output_buffers)
        return time.perf_counter() - start

    def read_outputs(self) -> list[np.ndarray]:
        """Read the outputs of the last run; see `TFLiteRunner.read_outputs`."""
        return [
            details.dequantize(buffer.read(math.prod(details.shape), np.dtype(details.dtype)).reshape(details.shape))
            for buffer, details in zip(self._output_buffers, self.outputs, strict=True)
        ]


def _make_interpreter(options: dict[str, Any], delegates: bool) -> Any:
    with warnings.catch_warnings():
        # `keep_tensors` is opt-in, and its documentation says what it does.
        warnings.filterwarnings("ignore", message=r"Warning: Enabling `experimental_preserve_all_tensors`")
        try:
            from ai_edge_litert.interpreter import Interpreter, OpResolverType
        except ImportError:
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            return _make_tensorflow_interpreter(options, delegates)
        return Interpreter(**options, **({} if delegates else _resolver(OpResolverType)))


def _make_tensorflow_interpreter(options: dict[str, Any], delegates: bool) -> Any:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(**options, **_resolver(tf.lite.experimental.OpResolverType))
    # TensorFlow 2.21's XNNPACK computes BATCH_MATMUL of INT8 wrongly, by up to a hundred steps of the output's scale.
    has_int8 = any(each["dtype"] == np.int8 for each in interpreter.get_tensor_details())
    if has_int8 and delegates:
        warnings.warn(SLOW_INTEGERS, UserWarning, stacklevel=4)
    return tf.lite.Interpreter(**options) if delegates and not has_int8 else interpreter


def _resolver(resolvers: Any) -> dict[str, Any]:
    return {"experimental_op_resolver_type": getattr(resolvers, _WITHOUT_DELEGATES)}


def _details(details: dict[str, Any]) -> TensorDetails:
    scale, zero_point = details["quantization"]
    return TensorDetails(
        name=details["name"],
        shape=tuple(details["shape"].tolist()),
        shape_signature=tuple(details["shape_signature"].tolist()),
        dtype=np.dtype(details["dtype"]).name,
        scale=float(scale),
        zero_point=int(zero_point),
    )


def _address_range(values: np.ndarray | np.generic) -> tuple[int, int]:
    # Scalars and tensors that no operation uses come as numbers, not as arrays.
    return (values.ctypes.data, values.ctypes.data + values.nbytes) if isinstance(values, np.ndarray) else (0, 0)
