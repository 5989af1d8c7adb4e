"""What a run notes: its file must be one, and the data must be those that it began with."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segformer.data.loading import load
from keras_segformer.errors import InvalidDatasetError, InvalidRecipeError
from keras_segformer.training.recipe import load_recipe
from keras_segformer.training.run_config import check_same_data, fingerprint_splits, read_config

RECIPE = load_recipe("b0_camvid")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("original") / "mine"
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for index in range(4):
        mask = np.zeros((32, 32), np.uint8)
        mask[: 4 * index + 4] = 1
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")
        Image.fromarray(np.dstack([mask * 99] * 3)).save(folder / "images" / f"{index}.png")
    return folder


def fingerprints(data: Path) -> dict[str, str]:
    recipe = RECIPE.replace({"dataset": "folder", "train_split": "train[:3]", "validation_split": "train[3:]"})
    splits = (load("folder", split, data, data.parent / "cache") for split in (recipe.train_split, "train[3:]"))
    return fingerprint_splits(recipe, *splits)


class TestReading:
    def test_a_run_that_has_not_begun(self, tmp_path):
        assert read_config(tmp_path / "run") == (None, {})

    def test_a_run_of_a_version_without_fingerprints(self, tmp_path):
        (tmp_path / "config.json").write_text(json.dumps({"recipe": RECIPE.to_dict()}))
        assert read_config(tmp_path) == (RECIPE, {})

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "is not a JSON file (Expecting"),
            ("[]", "has no `recipe`; name the folder of the run to resume, or another folder"),
            ('{"encoder": {}}', "has no `recipe`; name the folder of the run to resume, or another folder"),
            ('{"recipe": []}', "A recipe must be a JSON object; got list"),
            ('{"recipe": {"dataset": "folder", "epochs": 1, "optimiser": {}}}', "did you mean `optimizer`?"),
        ],
    )
    def test_other_files_are_named(self, tmp_path, text, message):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(InvalidRecipeError, match=re.escape(message)) as error:
            read_config(tmp_path)
        assert str(error.value).startswith(f"'{tmp_path / 'config.json'}'")
        assert "\n" not in str(error.value)


class TestData:
    def test_they_may_be_moved(self, data, tmp_path):
        shutil.copytree(data, tmp_path / "elsewhere", copy_function=shutil.copyfile)  # with other times
        before, after = fingerprints(data), fingerprints(tmp_path / "elsewhere")
        assert before == after
        assert len(set(before.values())) == 2
        check_same_data(tmp_path, before, after)

    @pytest.mark.parametrize("kind", ["images", "masks"])
    def test_a_changed_file_is_noticed(self, data, tmp_path, kind):
        shutil.copytree(data, tmp_path / "mine")
        for index in range(4):
            path = tmp_path / "mine" / kind / f"{index}.png"
            with Image.open(path) as picture:
                pixels = np.array(picture)
            pixels[:2] = 0
            Image.fromarray(pixels).save(path)
        with pytest.raises(InvalidDatasetError, match=r"changed since the run in .*; .* or name another output folder"):
            check_same_data(tmp_path, fingerprints(data), fingerprints(tmp_path / "mine"))

    def test_more_pictures_are_noticed(self, data, tmp_path):
        shutil.copytree(data, tmp_path / "mine")
        for kind in ("images", "masks"):
            for index in range(4, 9):
                shutil.copy(data / kind / "0.png", tmp_path / "mine" / kind / f"{index}.png")
        with pytest.raises(InvalidDatasetError, match="have changed"):
            check_same_data(tmp_path, fingerprints(data), fingerprints(tmp_path / "mine"))

    def test_a_run_that_noted_nothing_goes_on(self, data, tmp_path):
        check_same_data(tmp_path, {}, fingerprints(data))
