"""The process in which `IsolatedRunner` runs a file.

A script rather than a module, so that it imports nothing but NumPy and the runtime: its memory is that of the runtime.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more.

    Args:
        requests: Where `IsolatedRunner` writes.
        answers: Where it reads.
    """
    messages = _module("messages")
    worker = _Worker()
    while True:
        try:
            request, arrays = messages.receive_message(requests)
        except EOFError:
            return
        try:
            value, results = getattr(worker, request["method"])(*arrays, **request["arguments"])
        except Exception as error:
            messages.send_message(answers, {"error": str(error) or type(error).__name__})
        else:
            messages.send_message(answers, {"value": value}, results)


class _Worker:
    """The requests: each takes arrays and keywords, and returns what JSON can hold and a list of arrays."""

    def __init__(self) -> None:
        self._runner: Any = None

    def load(
        self, content: np.ndarray | None = None, path: str | None = None, half: bool = False, **options: Any
    ) -> tuple[Any, list]:
        self._runner = None  # free the memory of an earlier one first
        model, runner = path if content is None else content.tobytes(), _module("runner")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._runner = (runner.HalfRunner if half else runner.TFLiteRunner)(model, **options)
        details = {"inputs": self._runner.inputs, "outputs": self._runner.outputs}
        described = {name: [dataclasses.asdict(each) for each in tensors] for name, tensors in details.items()}
        is_slow = runner.SLOW_INTEGERS in [str(each.message) for each in caught]
        return described | {"hint": runner.SLOW_INTEGERS if is_slow else None}, []

    def unload(self) -> tuple[Any, list]:
        self._runner = None
        return None, []

    def set_inputs(self, *values: np.ndarray) -> tuple[Any, list]:
        return self._runner.set_inputs(*values), []

    def invoke(self) -> tuple[Any, list]:
        return self._runner.invoke(), []

    def read_outputs(self) -> tuple[Any, list]:
        return None, self._runner.read_outputs()

    def address_ranges(self, count: int) -> tuple[Any, list]:
        return self._runner.address_ranges(count), []

    def limit_memory(self, limit_bytes: int) -> tuple[Any, list]:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
        return None, []

    def import_runtime(self) -> tuple[Any, list]:
        _module("runner")
        importlib.import_module("ai_edge_litert.interpreter")
        return None, []

    def peak_bytes(self) -> tuple[Any, list]:
        return peak_bytes(), []


def peak_bytes() -> int:
    """Return the largest amount of memory in bytes that this process has held so far."""
    try:
        [line] = [each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM")]
        return 1024 * int(line.split()[1])
    except (OSError, ValueError):  # no /proc: this includes the peak of the parent process
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def _module(name: str) -> ModuleType:
    """A module of this folder, loaded without importing its package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)
