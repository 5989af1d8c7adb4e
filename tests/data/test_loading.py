"""`load`: preparation, cache, refusals."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from fake_datasets import WRITERS, random_mask, write_camvid, write_classes, write_folder, write_mask, zip_folder
from keras_segformer.data.check import check_source
from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import NAMES, load
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError, MissingExtraError
from keras_segformer.label_sets import load_label_set


def names_of(examples: Examples) -> list[str]:
    return [record["file_name"].decode() for record in examples.encoded.as_numpy_iterator()]


def masks_of(examples: Examples) -> dict[str, np.ndarray]:
    return {record["file_name"].numpy().decode(): examples.decode(record)[1].numpy() for record in examples.encoded}


def prepared(cache: Path) -> list[Path]:
    """The folders of complete preparations."""
    return sorted(path.parent for path in cache.rglob("dataset_info.json"))


@pytest.mark.parametrize("name", WRITERS)
def test_every_data_set(name, tmp_path):
    written = WRITERS[name](tmp_path / "data")
    for split, masks in written.items():
        examples = load(name, split, tmp_path / "data", tmp_path / "cache")
        assert examples.size == len(masks)
        assert examples.label_set.ignore_index == 255
        found = masks_of(examples)
        assert found.keys() == masks.keys()
        for key, mask in masks.items():
            np.testing.assert_array_equal(found[key], mask)
    if SOURCES[name].label_set:
        assert examples.label_set == load_label_set(SOURCES[name].label_set)
    assert len(prepared(tmp_path / "cache")) == 1, "one preparation holds all splits"


def test_images_are_decoded(tmp_path):
    write_camvid(tmp_path / "data")
    examples = load("camvid", "val", tmp_path / "data", tmp_path / "cache")
    image, mask = examples.decode(next(iter(examples.encoded)))
    assert (image.dtype, image.shape) == (np.uint8, (40, 50, 3))
    assert (mask.dtype, mask.shape) == (np.uint8, (40, 50))


def test_archives(tmp_path):
    written = WRITERS["ade20k"](tmp_path / "data")
    zip_folder(tmp_path / "data", tmp_path / "ADEChallengeData2016.zip")
    examples = load("ade20k", "train", tmp_path / "ADEChallengeData2016.zip", tmp_path / "cache")
    assert sorted(names_of(examples)) == sorted(written["train"])


def test_the_histogram_of_the_examples_is_that_of_the_check(shared, tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / "data/val" / kind).mkdir(parents=True)
        for file in sorted((shared / "data/camvid/val" / kind).iterdir())[:6]:
            (tmp_path / "data/val" / kind / file.name).symlink_to(file)
    report = check_source(SOURCES["camvid"], tmp_path / "data")["val"]
    masks = masks_of(load("camvid", "val", tmp_path / "data", tmp_path / "cache"))
    assert len(masks) == 6
    np.testing.assert_array_equal(
        sum(np.bincount(mask.ravel(), minlength=256) for mask in masks.values()), report.pixels
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty pairs of three classes."""
    write_folder(tmp_path / "data", 40)
    return tmp_path / "data"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_parts_of_a_split_are_random_disjoint_and_always_the_same(folder, cache, tmp_path):
    first, last = (load("folder", split, folder, cache) for split in ("train[:75%]", "train[75%:]"))
    assert (first.size, last.size) == (30, 10)
    assert sorted(names_of(first) + names_of(last)) == sorted(f"pet_{index}" for index in range(40))
    assert names_of(last) != [f"pet_{index}" for index in range(30, 40)]
    again = load("folder", "train[75%:]", folder, tmp_path / "other cache")
    assert names_of(again) == names_of(last)


def test_the_order_is_fixed(folder, cache):
    examples = load("folder", "train", folder, cache)
    assert names_of(examples) == names_of(examples) == names_of(load("folder", "train", folder, cache))


def test_what_is_prepared_is_found_again(folder, cache):
    load("folder", "train", folder, cache)
    times = {path: path.stat().st_mtime_ns for path in cache.rglob("*.tfrecord*")}
    folder = folder.rename(folder.with_name("moved"))
    assert load("folder", "train", folder, cache).size == 40
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.tfrecord*")} == times


@pytest.mark.parametrize("change", ["mask", "classes", "pair"])
def test_a_changed_folder_is_prepared_anew(folder, cache, change):
    load("folder", "train", folder, cache)
    if change == "mask":
        write_mask(folder / "masks/pet_7.png", random_mask([2, 1, 0], seed=99))
        os.utime(folder / "masks/pet_7.png", ns=(0, 0))
    elif change == "classes":
        write_classes(folder, raw_to_train={"0": 1, "1": 0, "2": 255})
    else:
        (folder / "images/pet_7.jpg").unlink()
        (folder / "masks/pet_7.png").unlink()
    masks = masks_of(load("folder", "train", folder, cache))
    if change == "mask":
        np.testing.assert_array_equal(masks["pet_7"], random_mask([2, 1, 0], seed=99))
    elif change == "classes":
        before = random_mask([0, 1, 2, 255], seed=7)
        np.testing.assert_array_equal(masks["pet_7"], np.select([before == 0, before == 1], [1, 0], 255))
    else:
        assert "pet_7" not in masks
    assert len(prepared(cache)) == 2


def test_a_changed_known_data_set_is_prepared_anew(tmp_path, cache):
    write_camvid(tmp_path / "data")
    load("camvid", "val", tmp_path / "data", cache)
    changed = random_mask([3, 4])
    write_mask(tmp_path / "data/valannot/0016E5_1.png", changed)
    os.utime(tmp_path / "data/valannot/0016E5_1.png", ns=(0, 0))
    np.testing.assert_array_equal(masks_of(load("camvid", "val", tmp_path / "data", cache))["0016E5_1"], changed)


def spoil(folder: Path) -> None:
    """Makes three pairs unusable: a broken image, a mask without a class, an image without a mask."""
    (folder / "images/pet_3.jpg").write_bytes(b"no picture")
    write_mask(folder / "masks/pet_4.png", np.full((40, 50), 255, np.uint8))
    (folder / "masks/pet_5.png").unlink()


def test_bad_files_are_refused(folder, cache):
    spoil(folder)
    with pytest.raises(InvalidDatasetError) as error:
        load("folder", "train", folder, cache)
    message = str(error.value)
    assert "has 3 problems: " in message
    for file in ("images/pet_5.jpg has no mask", "images/pet_3.jpg cannot be read", "masks/pet_4.png has no pixel"):
        assert file in message
    assert "skip_bad=True" in message
    assert prepared(cache) == []


def test_bad_files_are_left_out_and_named(folder, cache, caplog):
    spoil(folder)
    expected = sorted(f"pet_{index}" for index in range(40) if index not in (3, 4, 5))
    for _ in range(2):  # prepared now, and before
        caplog.clear()
        with caplog.at_level(logging.WARNING, "keras_segformer"):
            assert sorted(names_of(load("folder", "train", folder, cache, skip_bad=True))) == expected
        (message,) = caplog.messages
        assert "leaves out bad files: 3 problems: " in message
        assert "images/pet_3.jpg cannot be read" in message
    with pytest.raises(InvalidDatasetError, match="has 3 problems"):
        load("folder", "train", folder, cache)


def test_links_to_nowhere_can_be_left_out(folder, cache):
    (folder / "images/pet_3.jpg").unlink()
    (folder / "images/pet_3.jpg").symlink_to(folder / "nowhere.jpg")
    with pytest.raises(InvalidDatasetError, match=r"pet_3\.jpg cannot be read"):
        load("folder", "train", folder, cache)
    assert load("folder", "train", folder, cache, skip_bad=True).size == 39


def test_skip_bad_takes_what_was_prepared_without_problems(folder, cache, caplog):
    load("folder", "train", folder, cache)
    assert load("folder", "train", folder, cache, skip_bad=True).size == 40
    assert len(prepared(cache)) == 1
    assert caplog.messages == []


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_split_without_a_good_pair_is_refused(tmp_path, cache, skip_bad):
    write_camvid(tmp_path / "data")
    for file in (tmp_path / "data/val").iterdir():
        file.write_bytes(b"")
    with pytest.raises(InvalidDatasetError, match="Split val .* has no pair" if skip_bad else "1 problem"):
        load("camvid", "train", tmp_path / "data", cache, skip_bad=skip_bad)
    assert prepared(cache) == []


@pytest.mark.parametrize("split", ["val", "train[:x]", "train[:0]", "validation", ""])
def test_splits_that_are_not_there(folder, cache, split):
    with pytest.raises(InvalidDatasetError, match=r"no split .*; choose one of train, or a part such as"):
        load("folder", split, folder, cache)


@pytest.mark.parametrize("name", WRITERS)
def test_the_way_to_the_data_is_said(name):
    with pytest.raises(ValueError, match="needs `data`") as error:
        load(name)
    assert SOURCES[name].instructions in str(error.value)


def test_unknown_names():
    with pytest.raises(ValueError, match=f"no data set 'kitti'; choose one of {', '.join(NAMES)}"):
        load("kitti")


def test_without_tfds(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    monkeypatch.delitem(sys.modules, "keras_segformer.data.builders", raising=False)
    with pytest.raises(MissingExtraError, match=r"keras-segformer\[data\]"):
        load("folder", data=folder)
    with pytest.raises(MissingExtraError, match=r"keras-segformer\[data\]"):
        load("oxford_iiit_pet")


def test_no_network_is_used(folder, cache, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert load("folder", "train", folder, cache).size == 40


def test_nothing_is_printed_and_nothing_of_tfds_logged(folder, cache, capsys, caplog):
    load("folder", "train", folder, cache)
    assert capsys.readouterr().out == ""
    assert caplog.messages == []
    assert logging.getLogger("absl").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize(("split", "tfds_split"), [("train", "train"), ("val", "test"), ("val[:50%]", "test[:50%]")])
def test_pets(split, tfds_split, tmp_path, monkeypatch):
    asked = []
    original = tfds.core.DatasetBuilder.as_dataset
    with tfds.testing.mock_data(num_examples=3, max_value=4):
        mocked = tfds.core.DatasetBuilder.as_dataset

        def as_dataset(self, **arguments):
            asked.append(arguments["split"])
            return mocked(self, **arguments)

        monkeypatch.setattr(tfds.core.DatasetBuilder, "as_dataset", as_dataset)
        examples = load("oxford_iiit_pet", split, cache=tmp_path)
        masks = list(masks_of(examples).values())
        monkeypatch.setattr(tfds.core.DatasetBuilder, "as_dataset", original)
    assert asked == [tfds_split]
    assert examples.size == 3
    assert examples.label_set == load_label_set("oxford_iiit_pet")
    assert examples.mask_values[:5].tolist() == [255, 0, 1, 2, 255]
    assert {int(value) for mask in masks for value in np.unique(mask)} <= {0, 1, 2, 255}


def test_pets_are_downloaded(tmp_path):
    with pytest.raises(ValueError, match="is downloaded; leave `data`"):
        load("oxford_iiit_pet", data=tmp_path)


def test_pets_without_a_network(tmp_path, monkeypatch):
    def fail(self, *_: object) -> None:
        raise OSError("name resolution failed")

    monkeypatch.setattr(tfds.download.DownloadManager, "download_and_extract", fail)
    with pytest.raises(ConnectionError, match=r"could not be downloaded \(name resolution failed\); connect"):
        load("oxford_iiit_pet", cache=tmp_path)


def start_loading(data: Path, cache: Path, home: Path) -> subprocess.Popen:
    code = f"""
        from keras_segformer.data.loading import load
        print(load("folder", "train", {str(data)!r}, {str(cache)!r}).size)
    """
    environment = os.environ | {"HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


@pytest.mark.slow
def test_a_killed_preparation_is_done_again(tmp_path, cache):
    write_folder(tmp_path / "data", 600)
    process = start_loading(tmp_path / "data", cache, tmp_path / "home")
    with contextlib.closing(process.stdout):
        deadline = time.monotonic() + 120
        while not list(cache.rglob("incomplete.*")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(cache.rglob("incomplete.*"))
    assert prepared(cache) == []
    assert load("folder", "train", tmp_path / "data", cache).size == 600
    assert not list(cache.rglob("incomplete.*"))
    assert len(prepared(cache)) == 1
    assert not (tmp_path / "home/tensorflow_datasets").exists()


@pytest.mark.slow
def test_processes_that_start_together_share_one_preparation(tmp_path, cache):
    write_folder(tmp_path / "data", 300)
    processes = [start_loading(tmp_path / "data", cache, tmp_path / "home") for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == [b"300\n", b"300\n"]
    assert len(prepared(cache)) == 1
