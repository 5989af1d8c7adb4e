"""The data of a run: folders without a validation split, and with hardly any pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segformer.errors import InvalidRecipeError
from keras_segformer.label_sets import LabelSet
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run_data import announce_data, load_data, write_split
from keras_segformer.training.run_settings import RunSettings
from keras_segformer.training.strategies import Devices

pytest.importorskip("tensorflow_datasets")


def settings(folder: Path, count: int) -> RunSettings:
    """A data set of pictures of an odd size, with three classes of which the last never occurs."""
    for kind in ("images", "masks"):
        (folder / "pets" / kind).mkdir(parents=True)
    for index in range(count):
        mask = np.zeros((37, 61), np.uint8)
        mask[:10] = 1
        Image.fromarray(mask).save(folder / "pets" / "masks" / f"{index}.png")
        Image.fromarray(np.dstack([mask] * 3)).save(folder / "pets" / "images" / f"{index}.png")
    (folder / "pets" / "classes.json").write_text(json.dumps(LabelSet.generic(3).to_dict()))
    return RunSettings(folder / "run", data=folder / "pets", cache=folder / "cache")


@pytest.mark.parametrize(("count", "training", "validation"), [(1, 1, 1), (2, 1, 1), (6, 5, 1)])
def test_small_data(tmp_path, count, training, validation):
    recipe = Recipe(dataset="folder", epochs=2, initial="b0", validation_split=None, loss={"class_weights": "auto"})
    place = settings(tmp_path, count)
    completed, to_train, to_validate = load_data(recipe, place, Devices())
    assert (to_train.size, to_validate.size) == (training, validation)
    assert (completed.steps_per_epoch, completed.total_steps) == (1, 2)
    assert completed.title == "SegFormer from b0 on pets"
    assert completed.loss["class_weights"][2] == 1
    assert completed.augmentation["crop_size"] == (128, 224)

    assert not place.output.exists()
    write_split(completed, place, to_train, to_validate)
    listed = json.loads((place.output / "split.json").read_text())
    names = [set(listed[name]["pictures"]) for name in ("train", "val")]
    assert names[0] | names[1] == set(map(str, range(count)))
    assert bool(names[0] & names[1]) == (count == 1)
    again, _, _ = load_data(recipe.filled_from(completed), place, Devices())
    assert again.trains_like(completed)


def test_splits_that_are_missing_are_named_before_the_data_are_prepared(tmp_path):
    place = settings(tmp_path, 4)
    for kind in ("images", "masks"):
        (tmp_path / "pets" / kind).rename(tmp_path / kind)
        (tmp_path / "pets" / kind).mkdir()
        (tmp_path / kind).rename(tmp_path / "pets" / kind / "val")
    recipe = Recipe(dataset="folder", epochs=1, initial="b0", validation_split=None)
    with pytest.raises(
        InvalidRecipeError, match=r"`train_split` is 'train', but the data have only val; .*val\[:80%\]"
    ):
        load_data(recipe, place, Devices())
    assert not place.cache.exists()
    recipe = recipe.replace({"train_split": "val[:50%]", "validation_split": "val[50%:]"})
    _, to_train, to_validate = load_data(recipe, place, Devices())
    assert (to_train.size, to_validate.size) == (2, 2)


def test_one_split_for_both_is_said(tmp_path, capsys):
    place = settings(tmp_path, 4)
    recipe = Recipe(dataset="folder", epochs=1, initial="b0", validation_split="train")
    announce_data(*load_data(recipe, place, Devices()))
    assert "There are 4 pictures, for training and validation: the score says nothing" in capsys.readouterr().err
    with pytest.raises(InvalidRecipeError, match=r"have only train; .* --set validation_split=null"):
        load_data(recipe.replace({"validation_split": "val"}), place, Devices())
