"""Runs one file in a process of its own, and prints what that took as JSON.

A script that imports nothing but NumPy and LiteRT, so that the memory of the process is that of the runtime.

    python child.py '{"file": "b0.tflite", "threads": 1, "runs": 5, "limit_bytes": null}'
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from typing import Any


def peak_bytes() -> int:
    """The most memory that this process has held so far."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 (pathlib takes memory)
            [line] = [line for line in status if line.startswith("VmHWM")]
        return 1024 * int(line.split()[1])
    except (OSError, ValueError):  # where there is no /proc: the peak of the parent counts too
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    """Run the file that the argument names."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    if wanted["limit_bytes"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (wanted["limit_bytes"], wanted["limit_bytes"]))
    before = peak_bytes()
    start = time.perf_counter()
    interpreter = Interpreter(wanted["file"], num_threads=wanted["threads"])
    interpreter.allocate_tensors()
    loaded = time.perf_counter()
    [details] = interpreter.get_input_details()
    interpreter.set_tensor(details["index"], np.full(details["shape"], 100, details["dtype"]))
    seconds = []
    for _ in range(wanted["runs"]):
        begin = time.perf_counter()
        interpreter.invoke()
        seconds.append(time.perf_counter() - begin)
    output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    found = {
        "load_seconds": loaded - start,
        "first_seconds": seconds[0],
        "median_seconds": statistics.median(seconds[1:] or seconds),
        "peak_bytes": peak_bytes(),
        "peak_bytes_of_file": peak_bytes() - before,
        "checksum": float(np.sum(output, dtype=np.float64)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
