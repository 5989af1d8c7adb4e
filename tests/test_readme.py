"""The README's Python runs as it stands, one block after the other."""

from __future__ import annotations

import functools
import re
import shutil
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from public_names import private_paths_in_code

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```$", README, re.M | re.S)]


def test_code_names_public_paths():
    assert private_paths_in_code("\n".join(BLOCKS)) == []


@pytest.mark.slow
# Keras says of every tf.data pipeline that it does not shuffle it.
@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")
def test_every_block_runs(shared, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(shared / "weights"))
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ROOT / "docs/demo.jpg", "photo.jpg")
    # Its ImageNet weights would have to be downloaded.
    without_weights = functools.partial(keras.applications.ResNet50V2, weights=None)
    monkeypatch.setattr(keras.applications, "ResNet50V2", without_weights)
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype="uint8")
    masks = np.random.default_rng(1).choice([0, 10, 255], (2, 64, 96))
    dataset = tf.data.Dataset.from_tensors((images, masks))
    names = {
        "images": images,
        "normalised_images": images.astype("float32"),
        "dataset": dataset,
        "validation": dataset,
    }
    assert len(BLOCKS) == 4
    for block in BLOCKS:
        exec(block, names)
    assert names["labels"].shape == (427, 640)
    assert names["logits"].shape == (2, 64, 96, 150)
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "my_preset", "for_transformers"}
    assert names["model"](images).shape == (2, 64, 96, 11)
