"""Files in MediaPipe Tasks and the Task Library, in environments of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segformer import SegFormer
from keras_segformer.conversion import convert, options_for
from keras_segformer.images import load_image
from keras_segformer.ops import predicted_labels

pytestmark = pytest.mark.slow

RUNNERS = Path(__file__).with_name("runners")
STREET = Path(__file__).parents[3] / "docs/street.jpg"
SIZE = 128
# The Task Library has no wheel for Python 3.12 and newer.
PYTHONS = ("python3.11", "python3.10")
CLIENTS = {
    "mediapipe": ("mediapipe_tasks.py", ("mediapipe==1.2.3",)),
    "task-library": ("task_library.py", ("tflite-support==0.4.4", "numpy<2")),
}


@pytest.fixture(scope="module", params=CLIENTS)
def client(request):
    return request.param


@pytest.fixture(scope="module")
def python(client, tmp_path_factory):
    """A Python with the client."""
    packages = CLIENTS[client][1]
    for name in filter(shutil.which, PYTHONS):
        folder = tmp_path_factory.mktemp(client) / "environment"
        if subprocess.run([name, "-m", "venv", folder], check=False, capture_output=True).returncode:
            continue
        install = [folder / "bin/pip", "install", "--quiet", *packages]
        if not subprocess.run(install, check=False, capture_output=True).returncode:
            return folder / "bin/python"
    return pytest.skip(f"none of {', '.join(PYTHONS)} can install {' '.join(packages)} here")


@pytest.fixture(scope="module")
def model():
    return SegFormer.from_preset("b0_camvid", output_stride=4)


@pytest.fixture(scope="module")
def images():
    street = load_image(STREET)
    return np.stack([street[:SIZE, left : left + SIZE] for left in range(0, street.shape[1] - SIZE + 1, SIZE)][:3])


def test_masks_are_those_of_the_model(client, python, model, images, tmp_path):
    file = tmp_path / "m.tflite"
    convert(model, file, input_size=(SIZE, SIZE), report=False, **options_for(client))
    np.save(tmp_path / "images.npy", images)
    command = [python, RUNNERS / CLIENTS[client][0], file, tmp_path / "images.npy", tmp_path / "found.npz"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    found = np.load(tmp_path / "found.npz")
    assert found["labels"].tolist() == list(model.label_set.names)
    logits = model.predict_on_batch(images.astype(np.float32))
    if client == "mediapipe":  # which enlarges masks to the size of the picture
        logits = enlarged(logits)
    expected = predicted_labels(logits)
    confident, category = (
        np.mean(each == expected) for each in (predicted_labels(found["confidences"]), found["masks"])
    )
    print(f"{client}: labels of `segment` by confidences {confident:.4f}, by category masks {category:.4f}")
    assert confident >= 0.99
    # MediaPipe aligns corners when it enlarges category masks, which shifts boundaries; confidence masks are exact.
    assert category >= (0.96 if client == "mediapipe" else 0.99)
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict_on_batch(images.astype(np.float32))))
    probabilities = enlarged(probabilities) if client == "mediapipe" else probabilities
    np.testing.assert_allclose(found["confidences"], probabilities, atol=1e-4)


def enlarged(values: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(
        keras.ops.image.resize(values, (SIZE, SIZE), interpolation="bilinear", data_format="channels_last")
    )
