"""The notebooks run from top to bottom, with settings that are quick."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf
from IPython.core.inputtransformer2 import TransformerManager
from PIL import Image

import syntax_trees
from fake_datasets import random_mask, write_classes, write_folder
from keras_segformer import SegFormer, platforms
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.label_sets import load_label_set
from public_names import private_paths_in_code
from run_notebooks import OTHER_PARAMETERS, about_parameters, cells_of_parameters
from tiny import tiny_config

FILES = {path.stem: path for path in (Path(__file__).parents[1] / "notebooks").glob("*.ipynb")}
NAMES = ["fine_tune_your_own", "labels_to_phone", "train_colab_kaggle"]
SIZE = (40, 50)

every_notebook = pytest.mark.parametrize("name", NAMES)


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FILES[name], as_version=nbformat.NO_CONVERT)


def is_picture(output: nbformat.NotebookNode) -> bool:
    return bool({"image/jpeg", "image/png"} & output.get("data", {}).keys())


def code_cells(name: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def test_every_notebook_is_tested():
    assert sorted(FILES) == NAMES


@every_notebook
class TestFile:
    def test_is_valid(self, name):
        notebook = read(name)
        nbformat.validate(notebook)
        assert [cell.metadata.tags for cell in notebook.cells if "tags" in cell.metadata] == [["parameters"]]

    def test_outputs_are_those_of_one_run_from_top_to_bottom(self, name):
        counts = [cell.execution_count for cell in code_cells(name)]
        outputs = [output for cell in code_cells(name) for output in cell.outputs]
        assert counts == list(range(1, len(counts) + 1))
        assert sum(is_picture(output) for output in outputs) >= 3
        assert {output.output_type for output in outputs} <= {"stream", "execute_result", "display_data"}
        assert FILES[name].stat().st_size < 600_000

    def test_what_the_outputs_were_made_with_is_said(self, name):
        title, parameters = cells_of_parameters(read(name))
        assert title.source == about_parameters(name)
        assert OTHER_PARAMETERS[name].keys() <= names_set_by(parameters.source)

    def test_code_compiles(self, name):
        for cell in code_cells(name):
            syntax_trees.parse(TransformerManager().transform_cell(cell.source))

    def test_code_names_public_paths(self, name):
        code = "\n".join(TransformerManager().transform_cell(cell.source) for cell in code_cells(name))
        assert "keras_segformer" in code
        assert private_paths_in_code(code) == []

    def test_paths_are_of_no_machine(self, name):
        text = FILES[name].read_text(encoding="utf-8")
        assert not re.search(r"/(home|Users|root|work|tmp|mnt)/|[A-Z]:\\\\", text)

    def test_setup_looks_for_the_tpus_that_the_package_knows(self, name):
        setup = next(cell.source for cell in code_cells(name))
        assert re.findall(r'glob\("(.*?)"\)', setup) == list(platforms.TPU_DEVICES)


@pytest.fixture
def preset(tmp_path) -> Path:
    """Where fine-tuning starts: five classes, random weights."""
    SegFormer(tiny_config()).save_to_preset(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def environment(tmp_path, monkeypatch) -> None:
    """What the process of the notebook inherits: no platform, no network, and data sets in the temporary folder."""
    for name in ("KAGGLE_KERNEL_RUN_TYPE", "COLAB_RELEASE_TAG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def execute(name: str, folder: Path, parameters: dict[str, Any]) -> None:
    """Runs a notebook in a folder, with other values in a cell after its parameters, as papermill has it."""
    notebook = read(name)
    tagged = next(index for index, cell in enumerate(notebook.cells) if "tags" in cell.metadata)
    assert parameters.keys() <= names_set_by(notebook.cells[tagged].source)
    lines = [f"{key} = {value!r}" for key, value in parameters.items()]
    notebook.cells.insert(tagged + 1, nbformat.v4.new_code_cell("\n".join(lines)))
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": folder}}).execute()


def names_set_by(code: str) -> set[str]:
    nodes = ast.walk(syntax_trees.parse(code))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def write_pets(folder: Path, counts: dict[str, int]) -> None:
    """The Oxford-IIIT pets as TFDS prepares them, few and without content."""
    import tensorflow_datasets as tfds

    builder = tfds.builder("oxford_iiit_pet", data_dir=folder)
    features = {key: builder.info.features[key] for key in ("image", "segmentation_mask", "file_name")}
    generator = np.random.default_rng(0)
    splits = {}
    for split, count in counts.items():
        masks = np.stack([random_mask([1, 2, 3], SIZE, seed) for seed in range(count)])
        content = {
            "image": generator.integers(0, 256, (count, *SIZE, 3), dtype=np.uint8),
            "segmentation_mask": masks[..., None],
            "file_name": [f"{split}_{index}.jpg" for index in range(count)],
        }
        splits[split] = tf.data.Dataset.from_tensor_slices(content)
    tfds.dataset_builders.store_as_tfds_dataset(
        builder.name, builder.version, tfds.features.FeaturesDict(features), splits, data_dir=folder
    )


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_train_colab_kaggle(preset, tmp_path, monkeypatch, backend):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    write_pets(tmp_path / "tfds", {"train": 6, "test": 3})
    changes = {
        "initial": str(preset),
        "model.input_size": [64, 64],
        "augmentation.crop_size": [32, 32],
        "batch_size": 2,
        "steps": 4,
        "steps_per_epoch": 2,
        "schedule.warmup_steps": 1,
        "validation_size": [32, 32],
        "validation_batch_size": 2,
    }
    execute("train_colab_kaggle", tmp_path, {"CHANGES": changes, "TFLITE_SIZE": (32, 64)})

    output = tmp_path / "outputs" / "b0_oxford_iiit_pet"
    model = SegFormer.from_preset(output / "preset")
    assert model.label_set == load_label_set("oxford_iiit_pet")
    with Image.open(output / "evaluation.png") as figure:
        assert min(figure.size) > 300
    written = {path.relative_to(output).as_posix() for path in output.rglob("*")}
    with zipfile.ZipFile(output.with_suffix(".zip")) as archive:
        assert {f"{output.name}/{name}" for name in written} == {name.rstrip("/") for name in archive.namelist()[1:]}
    converted = TFLiteModel(output / "model_float16.tflite")
    assert converted.label_set == model.label_set
    picture = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    assert np.mean(converted.segment(picture) == model.segment(picture, (32, 64))) > 0.99


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_fine_tune_your_own(preset, tmp_path):
    names = ["cat", "dog", "grass"]
    write_folder(tmp_path / "mine", count=6)
    write_classes(tmp_path / "mine", names=names, palette=[[255, 0, 0], [0, 0, 255], [0, 255, 0]])
    parameters = {
        "DATA": "mine",
        "TRAIN": "train[:4]",
        "VALIDATION": "train[4:]",
        "PRESET": str(preset),
        "CROP": (32, 32),
        "BATCH_SIZE": 2,
        "EPOCHS": 1,
        "STEPS_PER_EPOCH": 2,
    }
    execute("fine_tune_your_own", tmp_path, parameters)

    output = tmp_path / "outputs" / "fine_tuned"
    picture = tmp_path / "mine/images/pet_0.jpg"
    model = SegFormer.from_preset(output / "preset")
    assert model.label_set.names == tuple(names)
    assert model.segment(picture).shape == SIZE
    binary = SegFormer.from_preset(output / "binary_preset")
    assert binary.config.num_classes == 1
    assert binary.label_set.names == ("no dog", "dog")
    assert set(np.unique(binary.segment(picture))) <= {0, 1}
    assert output.with_suffix(".zip").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("environment")
def test_labels_to_phone(preset, tmp_path):
    parameters = {
        "PRESET": str(preset),
        "CROP": (32, 32),
        "BATCH_SIZE": 2,
        "EPOCHS": 1,
        "STEPS_PER_EPOCH": 2,
        "FILE_SIZE": (32, 64),
    }
    execute("labels_to_phone", tmp_path, parameters)

    output = tmp_path / "outputs" / "labelled"
    converted = TFLiteModel(output / "labelled_float16.tflite")
    assert converted.label_set.names == ("background", "bolt", "coin", "nut")
    with Image.open(output / "data/masks/bench_00.png") as mask:
        assert set(np.unique(mask)) <= {0, 1, 2, 3}
    assert output.with_suffix(".zip").is_file()
