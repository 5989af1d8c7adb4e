"""Time and memory of a network's forward pass, in a process of its own: `python -m … CONFIG SIDE RUNS`."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time

import keras
import numpy as np

from keras_segformer.analysis.cost_scaling import Measurement
from keras_segformer.json_text import parse_json
from keras_segformer.models import SegFormerConfig, SegFormerNetwork
from keras_segformer.runtime.worker import peak_bytes

# How Python, TensorFlow and JAX say it; the system kills a process instead.
_OUT_OF_MEMORY = re.compile("MemoryError|ResourceExhausted|RESOURCE_EXHAUSTED|OOM")


def measure_keras(config: SegFormerConfig, side: int, runs: int = 3) -> Measurement:
    """Measures a forward pass in a new process, because memory that was held once cannot be told from memory in use.

    Args:
        config: The hyper-parameters; the weights are random.
        side: Height and width of the picture in pixels.
        runs: How many passes are timed after the first.

    Returns:
        Time and memory on the backend of this process, with all of its threads.

    Raises:
        MemoryError: The machine has too little memory.
        RuntimeError: The process failed for another reason, which the message names.

    Example:

    ```python
    measure_keras(VARIANTS["b0"], 512).seconds
    ```
    """
    command = [sys.executable, "-m", __name__, json.dumps(config.to_dict()), str(side), str(runs)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        if finished.returncode < 0 or _OUT_OF_MEMORY.search(finished.stderr):
            raise MemoryError(f"There is too little memory for a picture of {side}x{side}; choose smaller sides.")
        reason = (finished.stderr.strip().splitlines() or [f"exit status {finished.returncode}"])[-1]
        raise RuntimeError(
            f"The process that computes a picture of {side}x{side} failed: {reason}. Check the installation."
        )
    return Measurement(**parse_json(finished.stdout.splitlines()[-1]))


def measure_here(config: SegFormerConfig, side: int, runs: int) -> Measurement:
    """Measures a forward pass in this process, which should have done nothing else before.

    Args:
        config: The hyper-parameters.
        side: Height and width of the picture in pixels.
        runs: How many passes are timed after the first.

    Returns:
        Time and memory.

    Example:

    ```python
    measure_here(VARIANTS["b0"], 512, runs=3)
    ```
    """
    before = peak_bytes()
    model = SegFormerNetwork(config)
    images = np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)).astype(np.float32)
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        model.predict(images, verbose=0)
        seconds.append(time.perf_counter() - start)
    return Measurement(statistics.median(seconds[1:]), peak_bytes() - before)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    text, side, runs = sys.argv[1:]
    print(json.dumps(measure_here(SegFormerConfig.from_dict(parse_json(text)), int(side), int(runs))._asdict()))
