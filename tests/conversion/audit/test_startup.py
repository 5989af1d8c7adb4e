"""The audit starts without Keras and TensorFlow, and at once."""

from __future__ import annotations

import resource
import subprocess
import sys

# What the installed program does, which is imported before its command is known.
CODE = """
import sys

sys.argv = ["keras-segformer", "audit", sys.argv[1], "--require", "litert"]
from keras_segformer.cli import main

status = main()
print(*sorted({"jax", "keras", "tensorflow"} & sys.modules.keys()), file=sys.stderr)
sys.exit(status)
"""
SECONDS = 0.5  # of CPU


def cpu_seconds(*arguments: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, answer


def test_audit_starts_without_keras_and_tensorflow_at_once(converted):
    file, facts = converted("tiny", input_size=(64, 64), input="float32", report=False)
    runs = [cpu_seconds("-c", CODE, str(file)) for _ in range(3)]
    for _, answer in runs:
        assert answer.stderr.split() == []
        assert f"needs TF Lite             {facts['minimum_runtime']}" in answer.stdout
    # A core that others use as well is slower, which the import of NumPy shows.
    busy = min(cpu_seconds("-c", "import numpy")[0] for _ in range(3)) / 0.1
    assert min(seconds for seconds, _ in runs) < SECONDS * max(1, busy)
