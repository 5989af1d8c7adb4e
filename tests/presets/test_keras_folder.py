"""Our own preset folder: what is written comes back, and what is damaged is refused."""

from __future__ import annotations

import hashlib
import json
import shutil

import h5py
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comparison import numpy, outputs_of
from keras_segformer.errors import InvalidPresetError, WeightsMismatchError
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.licenses import License
from keras_segformer.models import SegFormerConfig, SegFormerNetwork
from keras_segformer.presets import load_segmenter, save_keras_folder
from tiny import tiny_config

FILES = ("config.json", "preprocessor.json", "model.weights.h5", "metadata.json")
IMAGES = np.arange(2 * 40 * 48 * 3, dtype="float32").reshape(2, 40, 48, 3) % 256
LICENSE = License("Test-1.0", "https://example.org/license", non_commercial=False)


def _model(**overrides):
    config = tiny_config(num_classes=11, input_size=(96, 64), image_mean=(1, 2, 3), **overrides)
    return SegFormerNetwork(config, label_set=load_label_set("camvid"), license=LICENSE)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model, folder = _model(), tmp_path_factory.mktemp("presets") / "tiny"
    save_keras_folder(model, folder)
    return model, folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to damage."""
    return shutil.copytree(saved[1], tmp_path / "damaged")


def _edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _edit_weights(folder, edit):
    """Change the weights and record their new digest, as somebody would who means it."""
    with h5py.File(folder / "model.weights.h5", "r+") as file:
        edit(file)
    digest = hashlib.sha256((folder / "model.weights.h5").read_bytes()).hexdigest()
    _edit_json(folder / "metadata.json", sha256={"model.weights.h5": digest})


def _first_dataset(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.ndim else None)
    return names[0]


@pytest.mark.backend
def test_everything_comes_back(saved):
    model, folder = saved
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)
    loaded = load_segmenter(SegFormerNetwork, folder)
    np.testing.assert_array_equal(numpy(outputs_of(loaded, IMAGES)), numpy(outputs_of(model, IMAGES)))
    assert (loaded.config, loaded.label_set, loaded.license) == (model.config, model.label_set, LICENSE)


def test_a_backbone_of_its_own_comes_back(tmp_path):
    images = keras.Input((None, None, 3))
    features, x = [], images
    for stride, channels in zip((4, 2, 2, 2), (8, 8, 16, 16), strict=True):
        x = keras.layers.Conv2D(channels, 3, strides=stride, padding="same")(x)
        features.append(x)
    model = SegFormerNetwork(SegFormerConfig(encoder=None, num_classes=3), keras.Model(images, features))
    save_keras_folder(model, tmp_path / "cnn")
    loaded = load_segmenter(SegFormerNetwork, tmp_path / "cnn")
    np.testing.assert_array_equal(numpy(loaded(IMAGES)), numpy(model(IMAGES)))


def test_an_occupied_folder_is_kept(saved, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite"):
        save_keras_folder(saved[0], tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InvalidPresetError, match=name.replace(".", r"\.")):
        load_segmenter(SegFormerNetwork, folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe"], ids=["empty", "truncated", "list", "binary"])
def test_a_damaged_file_is_named(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidPresetError, match=name.replace(".", r"\.")):
        load_segmenter(SegFormerNetwork, folder)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"class_name": "UNet"}),
        ("config.json", {"config": None}),
        ("preprocessor.json", {"image_std": "large"}),
        ("preprocessor.json", {"label_set": ["road"]}),
        ("preprocessor.json", {"label_set": LabelSet.generic(4).to_dict()}),
        ("metadata.json", {"license": "free"}),
        ("metadata.json", {"sha256": None}),
    ],
)
def test_wrong_values_are_refused(folder, name, changes):
    _edit_json(folder / name, **changes)
    with pytest.raises(InvalidPresetError):
        load_segmenter(SegFormerNetwork, folder)


def test_changed_weights_are_noticed(folder):
    content = bytearray((folder / "model.weights.h5").read_bytes())
    content[-100] ^= 1
    (folder / "model.weights.h5").write_bytes(content)
    with pytest.raises(InvalidPresetError, match="SHA-256"):
        load_segmenter(SegFormerNetwork, folder)


def _remove(file):
    del file[_first_dataset(file)]


def _add(file):
    file["layers/decoder/vars/7"] = np.zeros(3, "float32")


def _reshape(file):
    name = _first_dataset(file)
    values = file[name][()]
    del file[name]
    file[name] = np.concatenate([values, values])


def _spoil(file):
    file[_first_dataset(file)][...] = np.inf


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (_remove, "file lacks"),
        (_add, "does not use: .*decoder/vars/7"),
        (_reshape, "Of another shape: .*vars"),
        (_spoil, "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_named(folder, edit, message):
    _edit_weights(folder, edit)
    with pytest.raises(WeightsMismatchError, match=message):
        load_segmenter(SegFormerNetwork, folder)


def _paths(value, path=()):
    """Every place inside a JSON document."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_the_json_gives_a_whole_model_or_a_named_error(folder, data):
    path = folder / data.draw(st.sampled_from(("config.json", "preprocessor.json", "metadata.json")))
    original = path.read_text()
    document = json.loads(original)
    *parents, last = data.draw(st.sampled_from(sorted(_paths(document), key=str)))
    place = document
    for key in parents:
        place = place[key]
    place[last] = data.draw(st.sampled_from([None, True, -1, 2.5, "x", [], {}, [1, 2], {"a": 1}]))
    path.write_text(json.dumps(document))
    try:
        model = load_segmenter(SegFormerNetwork, folder)
    except InvalidPresetError:
        return
    finally:
        path.write_text(original)
    assert np.isfinite(numpy(model(IMAGES[:1]))).all()
