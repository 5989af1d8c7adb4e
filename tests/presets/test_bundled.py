"""The presets that come with the package: they need no network, and are what their cards say."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segformer import SegFormer, load_encoder
from keras_segformer.data.loading import load
from keras_segformer.evaluation import evaluate
from keras_segformer.presets import PRESETS
from keras_segformer.presets.catalogue import BUNDLED
from keras_segformer.presets.lookup import BUNDLED_FOLDER
from keras_segformer.training.recipe import Recipe, load_recipe

ROOT = Path(__file__).parents[2]
NAMES = [name for name, info in PRESETS.items() if info.source == BUNDLED]
LAST_RECIPE = {"b0_camvid": "b0_camvid_enlarged_again"}  # of several, each from the result of the one before
LARGEST = 8 * 2**20


@pytest.fixture(autouse=True)
def without_network(monkeypatch):
    """Neither a hub nor a folder of presets."""
    monkeypatch.delenv("KERAS_SEGFORMER_PRESETS", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def model():
    return SegFormer.from_preset("b0_camvid")


def test_folders_are_those_of_the_catalogue():
    assert sorted(path.name for path in BUNDLED_FOLDER.iterdir()) == sorted(NAMES) == ["b0_camvid"]


@pytest.mark.parametrize("name", NAMES)
class TestFiles:
    def test_are_small(self, name):
        assert sum(file.stat().st_size for file in (BUNDLED_FOLDER / name).iterdir()) <= LARGEST

    def test_have_the_digests_of_the_catalogue(self, name):
        sha256 = PRESETS[name].sha256
        assert "model.weights.h5" in sha256
        for file, digest in sha256.items():
            assert hashlib.sha256((BUNDLED_FOLDER / name / file).read_bytes()).hexdigest() == digest

    def test_follow_a_recipe(self, name):
        card = (BUNDLED_FOLDER / name / "README.md").read_text(encoding="utf-8")
        written = Recipe.from_dict(json.loads(re.search(r"```json\n(.*?)```", card, re.S)[1]))
        assert written == load_recipe(LAST_RECIPE[name])

    def test_say_under_what_terms(self, name):
        card = (BUNDLED_FOLDER / name / "README.md").read_text(encoding="utf-8")
        license = json.loads((BUNDLED_FOLDER / name / "metadata.json").read_text())["license"]
        assert license["non_commercial"]
        assert license["name"] == PRESETS[name].license.name
        assert license["name"] in card
        assert "research use" in card


def test_a_street(model):
    picture = Image.open(ROOT / "docs/street.jpg")
    labels = model.segment(picture)
    assert labels.shape == (picture.height, picture.width)
    shares = np.bincount(labels.ravel(), minlength=11) / labels.size
    by_name = dict(zip(model.label_set.names, shares, strict=True))
    assert by_name["Road"] > 0.1
    assert by_name["Sky"] + by_name["Building"] + by_name["Tree"] > 0.2
    # The road is below, the sky above.
    road, sky = (np.argwhere(labels == model.label_set.names.index(name))[:, 0].mean() for name in ("Road", "Sky"))
    assert road > sky


def test_is_a_start_for_other_classes(caplog):
    tuned = SegFormer.from_preset("b0_camvid", num_classes=3)
    assert tuned(np.zeros((1, 64, 64, 3), "float32")).shape == (1, 64, 64, 3)
    assert load_encoder("b0_camvid")(np.zeros((1, 64, 64, 3), "float32"))[0].shape == (1, 16, 16, 32)
    assert "b0_camvid" in caplog.text


@pytest.mark.slow
def test_has_the_scores_of_its_card(model, shared, tmp_path):
    card = (BUNDLED_FOLDER / "b0_camvid/README.md").read_text(encoding="utf-8")
    stated = [float(value) for value in re.search(r"mean IoU (\S+)\*\*, pixel accuracy\n(\S+)\.", card).groups()]
    examples = load("camvid", "val", shared / "data/camvid", tmp_path)
    scores = evaluate(model, examples, **load_recipe(LAST_RECIPE["b0_camvid"]).evaluation).scores
    assert [scores.mean_iou, scores.pixel_accuracy] == pytest.approx(stated, abs=2e-3)
    assert scores.mean_iou > 0.5
