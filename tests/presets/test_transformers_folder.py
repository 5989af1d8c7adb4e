"""Folders for transformers: the key sets of the reference files, and a reload."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from safetensors.numpy import load_file

from comparison import numpy, outputs_of
from keras_segformer.errors import InvalidPresetError
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets import load_segmenter, save_transformers_folder
from tiny import tiny_config

IMAGES = np.arange(40 * 48 * 3, dtype="float32").reshape(1, 40, 48, 3) % 256


@pytest.mark.backend
@pytest.mark.parametrize("name", ["golden/tiny_hf", "weights/b0_ade20k"])
def test_a_model_of_transformers_comes_back_with_every_key(shared, tmp_path, name):
    model = load_segmenter(SegFormerNetwork, shared / name)
    save_transformers_folder(model, tmp_path / "saved")
    written = load_file(tmp_path / "saved/model.safetensors")
    original = load_file(shared / name / "model.safetensors")
    assert written.keys() == original.keys()
    for key, array in original.items():
        assert written[key].dtype == array.dtype, key
        np.testing.assert_array_equal(written[key], array, err_msg=key)
    reloaded = load_segmenter(SegFormerNetwork, tmp_path / "saved")
    np.testing.assert_array_equal(numpy(outputs_of(reloaded, IMAGES)), numpy(outputs_of(model, IMAGES)))


def test_the_config_agrees_with_the_one_that_transformers_wrote(shared, tmp_path):
    save_transformers_folder(load_segmenter(SegFormerNetwork, shared / "golden/tiny_hf"), tmp_path / "saved")
    ours = json.loads((tmp_path / "saved/config.json").read_text())
    theirs = json.loads((shared / "golden/tiny_hf/config.json").read_text())
    # The version is transformers' own; its `layer_norm_eps` and label names do not reach the network.
    names = set(theirs) - {"transformers_version", "dtype", "layer_norm_eps", "id2label", "label2id"}
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}


def test_the_normalisation_is_handed_on(tmp_path):
    save_transformers_folder(SegFormerNetwork(tiny_config()), tmp_path / "saved")
    written = json.loads((tmp_path / "saved/preprocessor_config.json").read_text())
    assert written["image_mean"] == pytest.approx([0.485, 0.456, 0.406])
    assert written["image_std"] == pytest.approx([0.229, 0.224, 0.225])
    assert written["size"] == {"height": 64, "width": 64}
    assert written["do_reduce_labels"] is False


def test_another_epsilon_is_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        save_transformers_folder(SegFormerNetwork(tiny_config()), tmp_path / "saved")
    assert "epsilon of 1e-05" in caplog.text


def test_what_transformers_lacks_leaves_no_folder(tmp_path):
    with pytest.raises(InvalidPresetError, match="save_to_preset"):
        save_transformers_folder(SegFormerNetwork(tiny_config(decoder_stages=(4,))), tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
