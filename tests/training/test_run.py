"""Training runs from a recipe: what they write, and that they survive being killed."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from keras_segformer import License, SegFormer
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.errors import InvalidDatasetError, InvalidRecipeError
from keras_segformer.label_sets import LabelSet
from keras_segformer.training import run
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run import train
from keras_segformer.training.run_settings import RunSettings
from tiny import light_segmenter

NUM_CLASSES = 3
# As the fixture `without_xla` does, for fixtures of the module.
WITHOUT_XLA = ("keras_segformer.ops._xla_kernels._xla_runs", lambda: False)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data set of coloured tiles, in two splits."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    label_set = LabelSet.generic(NUM_CLASSES)
    for split, count in (("train", 6), ("val", 3)):
        for kind in ("images", "masks"):
            (folder / split / kind).mkdir(parents=True)
        for index in range(count):
            mask = rng.integers(0, NUM_CLASSES, (3, 4)).repeat(16, axis=0).repeat(16, axis=1)
            image = label_set.palette_array[mask] + rng.integers(0, 20, (48, 64, 3))
            Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / split / "images" / f"{index}.png")
            mask[:4] = 255
            Image.fromarray(mask.astype(np.uint8)).save(folder / split / "masks" / f"{index}.png")
    (folder / "classes.json").write_text(json.dumps(label_set.to_dict()))
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Recipe:
    """Three epochs of four steps, with everything that has a state: dropout, stochastic depth, moving average.

    The last epoch is a phase of its own, with larger crops.
    """
    preset = tmp_path_factory.mktemp("preset") / "light"
    light_segmenter(drop_path_rate=0.1, decoder_dropout=0.1).save_to_preset(preset)
    return Recipe(
        title="Tiles",
        command="keras-segformer train",
        expected="nothing",
        time="seconds",
        dataset="folder",
        initial=str(preset),
        augmentation={"crop_size": [32, 32], "scale": [0.8, 1.2]},
        phases=[{"from_step": 8, "augmentation": {"crop_size": [32, 48]}}],
        batch_size=2,
        steps=12,
        steps_per_epoch=4,
        schedule={"rate": 1e-3, "warmup_steps": 2},
        optimizer={"use_ema": True, "ema_momentum": 0.5},
        validation_size=[48, 64],
        evaluation={"mode": "whole", "size": "native"},
    )


@pytest.fixture(scope="module")
def phases() -> list[tuple[tuple[int, int], int]]:
    """The size of the crops and the first example of every phase of the run below."""
    return []


@pytest.fixture(scope="module")
def finished(data, recipe, phases, tmp_path_factory) -> Path:
    """The folder of a run that is over."""

    def spy(examples, augmentation, *args, **kwargs):
        phases.append((augmentation.crop_size, kwargs["start"]))
        return training_dataset(examples, augmentation, *args, **kwargs)

    output = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "training_dataset", spy)
        patch.setattr(*WITHOUT_XLA)
        train(SegFormer, recipe, RunSettings(output, data=data, cache=output.parent / "cache"))
    return output


def rows_of(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class TestFinishedRun:
    def test_the_table_has_a_row_per_epoch(self, finished):
        rows = rows_of(finished)
        assert [float(row["step"]) for row in rows] == [4, 8, 12]
        assert float(rows[-1]["learning_rate"]) == pytest.approx(0, abs=1e-9)
        assert all(0 <= float(row["val_mean_iou"]) <= 1 for row in rows)
        assert all(float(row["images_per_second"]) > 0 for row in rows)

    def test_the_preset_is_the_best_epoch(self, finished, data, recipe):
        model = SegFormer.from_preset(finished / "preset")
        scores = [float(row["val_mean_iou"]) for row in rows_of(finished)]
        card = (finished / "preset" / "README.md").read_text()
        # The card's score is the evaluation's, at the size of validation here: the same number by another road.
        stated = float(re.search(r"\*\*mean IoU ([0-9.]+)\*\*", card)[1])
        assert stated == pytest.approx(max(scores), abs=1e-3)
        assert f"epoch {np.argmax(scores) + 1} of 3" in card
        assert model.label_set.num_classes == NUM_CLASSES
        assert model.segment(data / "val" / "images" / "0.png").shape == (48, 64)

    def test_pictures_and_logs_are_there(self, finished):
        with Image.open(finished / "curve.png") as curve:
            assert min(curve.size) > 300
        assert list((finished / "tensorboard" / "train").glob("events*"))
        assert list((finished / "tensorboard" / "validation").glob("events*"))
        events = b"".join(path.read_bytes() for path in (finished / "tensorboard" / "pictures").glob("events*"))
        assert b"validation/0" in events
        assert events.count(b"\x89PNG") == 3 * 3  # three pictures after each of three epochs

    def test_the_config_tells_what_was_done(self, finished, recipe):
        config = json.loads((finished / "config.json").read_text())
        assert Recipe.from_dict(config["recipe"]) == recipe
        assert config["examples"] == {"train": 6, "val": 3}
        assert {"keras", "tensorflow", "keras-segformer"} <= config["versions"].keys()

    @pytest.mark.usefixtures("finished")
    def test_phases_have_their_crops(self, recipe, phases):
        assert phases == [((32, 32), 0), ((32, 48), 8 * recipe.batch_size)]

    def test_only_the_last_checkpoint_stays(self, finished):
        assert [path.name for path in (finished / "checkpoints").iterdir()] == ["epoch_00003"]
        assert len(list((finished / "best").iterdir())) == 1

    def test_resuming_it_changes_nothing(self, finished, data, recipe):
        before = (finished / "history.csv").read_bytes()
        weights = (finished / "preset" / "model.weights.h5").read_bytes()
        train(SegFormer, recipe, RunSettings(finished, data=data, cache=finished.parent / "cache", resume=True))
        assert (finished / "history.csv").read_bytes() == before
        assert (finished / "preset" / "model.weights.h5").read_bytes() == weights

    def test_it_can_be_described_and_saved_anew(self, finished, data, recipe, tmp_path):
        """With the data at another place, and by a version that notes more than the one that began it."""
        output = tmp_path / "run"
        shutil.copytree(finished, output)
        shutil.copytree(data, tmp_path / "moved", copy_function=shutil.copyfile)
        config = json.loads((output / "config.json").read_text())
        fingerprints = config.pop("fingerprints")
        (output / "config.json").write_text(json.dumps(config))
        settings = RunSettings(output, data=tmp_path / "moved", cache=tmp_path / "cache", resume=True)
        train(SegFormer, recipe.replace({"title": "Squares", "weights_dtype": "float16"}), settings)
        assert "# Squares\n" in (output / "preset" / "README.md").read_text()
        with h5py.File(output / "preset" / "model.weights.h5") as file:
            kinds = set()
            file.visititems(lambda _, item: kinds.add(str(getattr(item, "dtype", "float16"))))
        assert kinds == {"float16"}
        assert json.loads((output / "config.json").read_text())["fingerprints"] == fingerprints
        picture = np.full((48, 64, 3), 99, np.uint8)
        one, other = (SegFormer.from_preset(run / "preset").segment(picture) for run in (output, finished))
        assert np.mean(one == other) > 0.99


class TestRefusals:
    def test_a_folder_that_holds_something(self, data, recipe, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(FileExistsError, match="--resume"):
            train(SegFormer, recipe, RunSettings(tmp_path, data=data))
        assert (tmp_path / "thesis.txt").read_text() == "mine"

    def test_a_folder_without_a_run_to_go_on_with(self, data, recipe, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        with pytest.raises(FileExistsError, match=r"holds no config\.json, hence no run to go on with"):
            train(SegFormer, recipe, RunSettings(tmp_path, data=data, resume=True))
        assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]

    def test_a_file(self, data, recipe, tmp_path):
        (tmp_path / "run").write_text("mine")
        with pytest.raises(FileExistsError, match="is a file"):
            train(SegFormer, recipe, RunSettings(tmp_path / "run", data=data))

    def test_another_recipe(self, finished, data, recipe):
        settings = RunSettings(finished, data=data, resume=True)
        with pytest.raises(InvalidRecipeError, match="followed another recipe"):
            train(SegFormer, recipe.replace({"steps": 16}), settings)

    def test_other_data(self, finished, data, recipe, tmp_path):
        other = tmp_path / "data"
        shutil.copytree(data, other)
        for kind in ("images", "masks"):
            shutil.copy(other / "val" / kind / "0.png", other / "train" / kind / "6.png")
        before = (finished / "config.json").read_bytes()
        settings = RunSettings(finished, data=other, cache=tmp_path / "cache", resume=True)
        with pytest.raises(InvalidDatasetError, match=r"have changed since the run in .* began \(split train\)"):
            train(SegFormer, recipe, settings)
        assert (finished / "config.json").read_bytes() == before


@pytest.fixture(scope="module")
def distilled(data, recipe, tmp_path_factory) -> RunSettings:
    """A run of two steps whose teacher has classes that the data set lacks, and terms."""
    preset = tmp_path_factory.mktemp("teacher") / "preset"
    license = License("Research", "https://example.org/research", non_commercial=True)
    teacher = light_segmenter()
    teacher.license = license
    teacher.save_to_preset(preset)
    teacher = {"preset": str(preset), "kind": "channel", "class_mapping": [0, 1, 2, 7, 7]}
    short = recipe.replace({"steps": 2, "steps_per_epoch": 2, "phases": [], "teacher": teacher})
    output = tmp_path_factory.mktemp("runs") / "run"
    settings = RunSettings(output, data=data, cache=output.parent / "cache", resume=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*WITHOUT_XLA)
        train(SegFormer, short, settings)
    train(SegFormer, short, settings)  # there is nothing left to do, and nothing to fail
    return settings


@pytest.mark.slow
class TestTeacher:
    def test_the_card_names_it_with_its_terms(self, distilled):
        card = (distilled.output / "preset" / "README.md").read_text()
        assert re.search(r"Distilled from the teacher `.*/preset` \([0-9,]+ parameters\)", card)
        assert "Terms of the teacher: Research (non-commercial use only): https://example.org/research." in card

    def test_the_student_has_its_terms_and_nothing_else_of_it(self, distilled, recipe):
        model = SegFormer.from_preset(distilled.output / "preset")
        assert model.license.name == "Research"
        assert model.config.num_classes == NUM_CLASSES
        [checkpoint] = (distilled.output / "checkpoints").iterdir()
        with h5py.File(checkpoint / "state.weights.h5") as file:
            found = []
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        weights = [name for name in found if not name.startswith("optimizer/")]
        assert len(weights) == len(model.weights)

    def test_other_classes_are_refused_before_the_data_are_prepared(self, data, recipe, tmp_path):
        settings = RunSettings(tmp_path / "run", data=data, cache=tmp_path / "cache")
        with pytest.raises(InvalidRecipeError, match="cannot teach this data set: The teacher has the 5 classes"):
            train(SegFormer, recipe.replace({"teacher": {"preset": recipe.initial}}), settings)
        assert not settings.cache.exists()

    @pytest.mark.parametrize("teacher", [{}, {"preset": "b0", "temprature": 2}, {"preset": "b0", "weight": -1}])
    def test_wrong_values_are_refused(self, recipe, teacher):
        with pytest.raises(InvalidRecipeError, match=r"preset|temprature|weight"):
            recipe.replace({"teacher": teacher})


@pytest.mark.slow
@pytest.mark.usefixtures("without_xla")
def test_early_stopping_is_final(data, recipe, tmp_path):
    recipe = recipe.replace({"steps": 20, "early_stopping": {"patience": 1, "min_delta": 1.0}})
    settings = RunSettings(tmp_path / "run", data=data, cache=tmp_path / "cache")
    train(SegFormer, recipe, settings)
    assert len(rows_of(settings.output)) == 2
    train(SegFormer, recipe, RunSettings(settings.output, data=data, cache=settings.cache, resume=True))
    assert len(rows_of(settings.output)) == 2


# In the first epoch until the checkpoint is in its place, then in the second.
KILLS = [("step", 3), ("best", 1), ("checkpoint", 1), ("removal", 1), ("step", 2), ("table", 1)]


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_weights(data, recipe, tmp_path):
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe.to_dict()))

    runs = [*([tmp_path / "killed", *trap] for trap in KILLS), [tmp_path / "killed"], [tmp_path / "whole"]]
    program = Path(__file__).with_name("killed_run.py")
    subprocess.run([sys.executable, program, file, data, json.dumps(runs, default=str)], check=True, timeout=600)

    assert _numbers(rows_of(tmp_path / "killed")) == pytest.approx(_numbers(rows_of(tmp_path / "whole")), abs=1e-6)
    killed, whole = (tmp_path / run / "checkpoints" / "epoch_00003" / "state.weights.h5" for run in ("killed", "whole"))
    _assert_same_file(killed, whole)
    best = [sorted((tmp_path / run / "best").iterdir())[0] / "model.weights.h5" for run in ("killed", "whole")]
    _assert_same_file(*best)


@pytest.mark.slow
@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize("kilobytes", [40, 250, 450])
def test_a_full_disk_costs_nothing_but_the_epoch(data, recipe, tmp_path, small_disks, kilobytes):
    """A run that met one goes on from its last checkpoint when there is room."""
    recipe = recipe.replace({"phases": []})  # each is traced anew
    disk = small_disks(kilobytes << 10)
    with pytest.raises(OSError, match=r"No space left on device: .* MB are free; make room"):
        train(SegFormer, recipe, RunSettings(disk / "run", data=data, cache=tmp_path / "cache"))
    shutil.copytree(disk / "run", tmp_path / "run")
    train(SegFormer, recipe, RunSettings(tmp_path / "run", data=data, cache=tmp_path / "cache", resume=True))
    assert len(rows_of(tmp_path / "run")) == 3


def _numbers(rows: list[dict[str, str]]) -> list[float]:
    return [float(value) for row in rows for key, value in row.items() if key != "images_per_second"]


def _assert_same_file(first: Path, second: Path) -> None:
    with h5py.File(first) as one, h5py.File(second) as other:
        compared = []

        def compare(name: str, item: h5py.HLObject) -> None:
            if isinstance(item, h5py.Dataset):
                np.testing.assert_allclose(item[()], other[name][()], rtol=0, atol=1e-6, err_msg=name)
                compared.append(name)

        one.visititems(compare)
    assert len(compared) > 20
