"""Files in TF Lite 2.14, the last runtime for boards of the size of a Raspberry Pi that pip installs alone."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from keras_segformer import SegFormer
from keras_segformer.conversion import convert
from keras_segformer.conversion.audit.versions import runtime_key
from keras_segformer.images import load_image
from keras_segformer.ops import predicted_labels

pytestmark = pytest.mark.slow

SIZE = (256, 256)
PYTHONS = ("python3.11", "python3.10", "python3.9")  # it has no wheel for newer ones
PACKAGES = ("tflite-runtime==2.14.0", "tflite-support==0.4.4", "numpy<2")
READ = """
import sys
from tflite_support import metadata

reader = metadata.MetadataDisplayer.with_model_file(sys.argv[1])
print(reader.get_metadata_json())
print(reader.get_associated_file_buffer("labels.txt").decode())
"""
RUN = """
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter

file, images, outputs = sys.argv[1:]
interpreter = Interpreter(file, num_threads=2)
interpreter.allocate_tensors()
[details], [result] = interpreter.get_input_details(), interpreter.get_output_details()
found = []
for image in np.load(images):
    interpreter.set_tensor(details["index"], image[None])
    interpreter.invoke()
    found.append(interpreter.get_tensor(result["index"]))
np.save(outputs, np.concatenate(found))
"""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory):
    """A Python with the old runtime."""
    names = [name for name in PYTHONS if shutil.which(name)]
    for name in names:
        folder = tmp_path_factory.mktemp("old") / "environment"
        if subprocess.run([name, "-m", "venv", folder], check=False, capture_output=True).returncode:
            continue
        install = [folder / "bin/pip", "install", "--quiet", *PACKAGES]
        if not subprocess.run(install, check=False, capture_output=True).returncode:
            return folder / "bin/python"
    pytest.skip(f"none of {', '.join(PYTHONS)} can install {' '.join(PACKAGES)} here")


@pytest.fixture(scope="module")
def b0(shared):
    return SegFormer.from_preset(shared / "weights/b0_ade20k", output_stride=4)


@pytest.fixture(scope="module")
def images(shared):
    return [load_image(path) for path in sorted((shared / "data/camvid/train/images").iterdir())[::30]]


@pytest.mark.parametrize(
    ("precision", "least"), [("float32", 0.9999), ("float16", 0.998), ("dynamic", 0.98), ("int8", 0.97)]
)
def test_same_labels(precision, least, b0, images, old_python, tmp_path):
    options = {} if precision != "int8" else {"calibration": images, "runtime": "tflite-2.16"}
    facts = convert(b0, tmp_path / "m.tflite", precision, SIZE, output="logits", report=False, **options)
    assert runtime_key(facts["minimum_runtime"]) <= runtime_key("2.14")  # it claims to run there
    pictures = np.stack([image[: SIZE[0], : SIZE[1]] for image in images[1:8]])
    np.save(tmp_path / "images.npy", pictures)
    (tmp_path / "run.py").write_text(RUN)
    command = [old_python, tmp_path / "run.py", tmp_path / "m.tflite", tmp_path / "images.npy", tmp_path / "out.npy"]
    subprocess.run(command, check=True, capture_output=True)
    expected = predicted_labels(b0.predict_on_batch(pictures.astype(np.float32)))
    assert np.mean(predicted_labels(np.load(tmp_path / "out.npy")) == expected) >= least


def test_official_reader_of_metadata(b0, old_python, tmp_path):
    convert(b0, tmp_path / "m.tflite", input_size=SIZE, report=False)
    command = [old_python, "-c", READ, tmp_path / "m.tflite"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    metadata, end = json.JSONDecoder().raw_decode(printed)
    assert printed[end:].split("\n")[2:-2] == list(b0.label_set.names)
    [graph] = metadata["subgraph_metadata"]
    assert graph["input_tensor_metadata"][0]["content"]["content_properties"] == {"color_space": "RGB"}
    [labels] = graph["output_tensor_metadata"][0]["associated_files"]
    assert labels["type"] == "TENSOR_VALUE_LABELS"
    assert metadata.get("license") == (b0.license and b0.license.terms)
