"""TF Lite files of unknown origin, run in a process of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from keras_segformer.runtime.messages import receive_message, send_message
from keras_segformer.runtime.runner import TensorDetails

_WORKER = Path(__file__).with_name("worker.py")
_SECONDS_TO_END = 10
_CHATTER = ("INFO", "WARNING", "I0", "W0")  # how LiteRT and TensorFlow start lines that are not about an error


class IsolatedRunner:
    """A TF Lite file as a function, run in a process of its own.

    Damaged files can kill the process that runs them, some only when their memory is freed. Here that is an error that
    names the signal and the file. The worker gets the bytes themselves, so what it runs is what the caller has checked.

    Args:
        content: The bytes of the file.
        name: What error messages call the file, such as its path.
        num_threads: Number of threads; `None` leaves it to the runtime.
        delegates: Whether XNNPACK may take part, as in `TFLiteRunner`.
        half: Whether float operations are computed in float16, as in `HalfRunner`.
        trial: Whether the file is loaded, run and unloaded once before it is used, so that a file that kills its
            process is refused here rather than after an evaluation.

    Attributes:
        inputs: The inputs.
        outputs: The outputs.

    Raises:
        ValueError: The file is damaged, kills the process, or has an operation that the runtime lacks.

    Example:

    ```python
    with IsolatedRunner(content, "downloaded.tflite") as runner:
        [labels] = runner(image[np.newaxis])
    ```
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        num_threads: int | None = None,
        *,
        delegates: bool = True,
        half: bool = False,
        trial: bool = True,
    ) -> None:
        self._worker = WorkerProcess(name)
        options = {"num_threads": num_threads, "delegates": delegates, "half": half}
        try:
            if trial:
                self._try(content, options)
            self.inputs, self.outputs = self._worker.load(content, **options)
        except BaseException:
            self._worker.kill()
            raise

    def __call__(self, *values: np.ndarray) -> list[np.ndarray]:
        """Run the file; see `TFLiteRunner.__call__`."""
        with self._worker.lock:
            self.set_inputs(*values)
            self.invoke()
            return self.read_outputs()

    def set_inputs(self, *values: np.ndarray) -> None:
        """Set the inputs; see `TFLiteRunner.set_inputs`."""
        self._worker.request("set_inputs", values)

    def invoke(self) -> float:
        """Run the file on the inputs that were set and return the seconds that it took, without the messages."""
        seconds, _ = self._worker.request("invoke")
        return seconds

    def read_outputs(self) -> list[np.ndarray]:
        """Read the outputs of the last run; see `TFLiteRunner.read_outputs`."""
        return self._worker.request("read_outputs")[1]

    def address_ranges(self, count: int) -> list[tuple[int, int]]:
        """Find where tensors lie in memory; see `TFLiteRunner.address_ranges`."""
        ranges, _ = self._worker.request("address_ranges", count=count)
        return [(start, end) for start, end in ranges]

    def close(self) -> None:
        """End the process.

        Raises:
            ValueError: The file has killed it.
        """
        self._worker.close()

    def __enter__(self) -> IsolatedRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self.close()
        else:
            self._worker.kill()

    def _try(self, content: bytes, options: dict[str, Any]) -> None:
        inputs, _ = self._worker.load(content, **options)
        self.set_inputs(*(np.zeros(each.shape, each.dtype) for each in inputs))
        self.invoke()
        self.read_outputs()
        self._worker.request("unload")


class WorkerProcess:
    """The process of `worker.py`, and what kills it.

    Args:
        name: What error messages call the file.
        environment: Environment variables on top of those of this process.

    Attributes:
        lock: Held while a request is answered; hold it over several that belong together.
    """

    def __init__(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        self.lock = threading.RLock()
        self._name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | (environment or {}),
        )
        self._finalizer = weakref.finalize(self, _end, self._process, self._errors)

    def load(self, content: bytes | None = None, **options: Any) -> tuple[tuple[TensorDetails, ...], ...]:
        """Load a file in place of an earlier one.

        Args:
            content: The bytes of the file; without them, `path` names it.
            options: Keyword arguments of `TFLiteRunner`, or `path`.

        Returns:
            The inputs and the outputs.
        """
        arrays = () if content is None else (np.frombuffer(content, np.uint8),)
        found, _ = self.request("load", arrays, **options)
        if found["hint"]:
            warnings.warn(f"'{self._name}': {found['hint']}", UserWarning, stacklevel=3)
        inputs, outputs = (tuple(_details(each) for each in found[kind]) for kind in ("inputs", "outputs"))
        return inputs, outputs

    def request(
        self, method: str, arrays: tuple[np.ndarray, ...] = (), **arguments: Any
    ) -> tuple[Any, list[np.ndarray]]:
        """Ask the process for something.

        Args:
            method: A method of the worker.
            arrays: Its positional arguments.
            arguments: Its keyword arguments.

        Returns:
            What JSON can hold, and arrays.

        Raises:
            ValueError: The method failed, or the process died.
        """
        with self.lock:
            try:
                send_message(self._stream("stdin"), {"method": method, "arguments": arguments}, arrays)
                answer, results = receive_message(self._stream("stdout"))
            except (OSError, ValueError, EOFError):  # a broken pipe, garbage, or the end
                raise self._death() from None
        if "error" in answer:
            raise ValueError(f"'{self._name}' cannot be run as a TF Lite file ({answer['error']}); convert it again.")
        return answer["value"], results

    def close(self) -> None:
        """End the process.

        Raises:
            ValueError: The file has killed it.
        """
        with self.lock:
            if not self._finalizer.alive:
                return
            self._stream("stdin").close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_SECONDS_TO_END)
            died = self._process.returncode not in (0, None)
            error = self._death() if died else None
            self.kill()
            if error:
                raise error

    def kill(self) -> None:
        """End the process, however it is."""
        self._finalizer()

    def _stream(self, name: str) -> BinaryIO:
        stream = getattr(self._process, name)
        if stream is None or stream.closed:
            raise EOFError(f"The process that ran '{self._name}' has ended.")
        return stream

    def _death(self) -> ValueError:
        """Wait for a process whose pipes are broken, and say why it ended."""
        try:
            status = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return ValueError(f"The process that runs '{self._name}' does not answer; convert the file again.")
        finally:
            last_line = _last_line(self._errors)
            self.kill()
        cause = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return ValueError(
            f"'{self._name}' kills the process that runs it ({cause}{last_line}); the file is damaged: convert it "
            "again, or get it again from its source."
        )


def _details(fields: dict[str, Any]) -> TensorDetails:
    shapes = {name: tuple(fields[name]) for name in ("shape", "shape_signature")}
    return TensorDetails(**fields | shapes)


def _last_line(errors: BinaryIO) -> str:
    if errors.closed:
        return ""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith(_CHATTER)]
    return f": {lines[-1]}" if lines else ""


def _end(process: subprocess.Popen[bytes], errors: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
    errors.close()
