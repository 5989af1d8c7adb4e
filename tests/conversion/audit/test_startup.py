"""The audit starts without Keras and TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras_segformer
import keras_segformer.conversion

# The packages themselves are not under test here, only what the modules of the audit import.
CODE = """
import sys, types

for name, folder in {packages}:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]

from pathlib import Path
from keras_segformer.conversion.audit import TARGETS, audit

found = audit(Path(sys.argv[1]).read_bytes(), TARGETS)
print(found.minimum_runtime, *sorted({{"keras", "tensorflow", "jax", "PIL"}} & sys.modules.keys()))
"""


def test_without_keras_and_tensorflow(converted):
    file, facts = converted("tiny", input_size=(64, 64), input="float32", report=False)
    packages = [
        (package.__name__, str(Path(package.__file__).parent))
        for package in (keras_segformer, keras_segformer.conversion)
    ]
    command = [sys.executable, "-c", CODE.format(packages=packages), str(file)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.split() == [facts["minimum_runtime"]]
