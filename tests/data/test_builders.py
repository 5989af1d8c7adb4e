"""The data sets as TFDS builders, on TFDS's own road."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from fake_datasets import WRITERS, write_camvid, write_folder, write_image
from keras_segformer.data.builders import BUILDERS
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError


def tfds_load(name: str, manual_dir, data_dir, **arguments):
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    return tfds.load(
        f"keras_segformer_{name}",
        data_dir=data_dir,
        download_and_prepare_kwargs={"download_config": config},
        **arguments,
    )


@pytest.mark.parametrize("name", BUILDERS)
def test_tfds_load(name, tmp_path):
    written = WRITERS[name](tmp_path / "data")
    datasets, info = tfds_load(name, tmp_path / "data", tmp_path / "cache", with_info=True)
    assert {split: each.num_examples for split, each in info.splits.items()} == {
        split: len(masks) for split, masks in written.items()
    }
    for split, dataset in datasets.items():
        examples = {example["file_name"].decode(): example for example in dataset.as_numpy_iterator()}
        assert examples.keys() == written[split].keys()
        for key, example in examples.items():
            assert example["image"].shape == (40, 50, 3)
            np.testing.assert_array_equal(example["segmentation_mask"][..., 0], written[split][key])


@pytest.mark.parametrize("name", BUILDERS)
def test_info(name, tmp_path):
    info = BUILDERS[name](data_dir=tmp_path).info
    assert info.homepage == SOURCES[name].homepage
    assert info.redistribution_info.license == SOURCES[name].licence
    assert info.citation == SOURCES[name].citation
    assert list(tmp_path.iterdir()) == [], "nothing is written before it is asked for"


def test_names_are_not_those_of_tfds():
    assert tfds.builder_cls("cityscapes") is not BUILDERS["cityscapes"]
    assert tfds.builder_cls("keras_segformer_cityscapes") is BUILDERS["cityscapes"]


def test_images_stay_as_they_are(tmp_path):
    write_folder(tmp_path / "data")
    write_image(tmp_path / "data/images/pet_1.png")
    (tmp_path / "data/images/pet_1.jpg").unlink()
    skip = {"image": tfds.decode.SkipDecoding()}
    dataset = tfds_load("folder", tmp_path / "data", tmp_path / "cache", split="train", decoders=skip)
    encoded = {example["file_name"].decode(): example["image"] for example in dataset.as_numpy_iterator()}
    for name, suffix in (("pet_0", "jpg"), ("pet_1", "png"), ("pet_2", "jpg")):
        assert encoded[name] == (tmp_path / f"data/images/{name}.{suffix}").read_bytes()


def test_masks_are_grey_png(tmp_path):
    write_camvid(tmp_path / "data")
    skip = {"segmentation_mask": tfds.decode.SkipDecoding()}
    dataset = tfds_load("camvid", tmp_path / "data", tmp_path / "cache", split="val", decoders=skip)
    (encoded,) = [example["segmentation_mask"] for example in dataset.as_numpy_iterator()]
    (tmp_path / "mask.png").write_bytes(encoded)
    with Image.open(tmp_path / "mask.png") as image:
        assert (image.format, image.mode) == ("PNG", "L")


def test_bad_files_are_refused_and_nothing_is_left(tmp_path):
    write_camvid(tmp_path / "data")
    write_image(tmp_path / "data/train/lonely.png")
    with pytest.raises(InvalidDatasetError, match=r"has 1 problem: .*lonely\.png has no mask"):
        tfds_load("camvid", tmp_path / "data", tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.tfrecord*"))


def test_the_manual_folder_is_asked_for(tmp_path):
    with pytest.raises(AssertionError, match="holds train, trainannot"):
        tfds_load("camvid", tmp_path / "missing", tmp_path / "cache")


def test_metadata_name_the_classes(tmp_path):
    write_camvid(tmp_path / "data")
    tfds_load("camvid", tmp_path / "data", tmp_path / "cache")
    builder = BUILDERS["camvid"](data_dir=tmp_path / "cache")
    assert builder.label_set.name == "camvid"
    assert builder.left_out == []
