"""Writers that are killed at random moments, and what is left of what they wrote.

A process that has loaded everything forks a child for every hit, so that a hit costs what the write costs. The two
versions of everything differ (networks of 5 and 7 classes, data sets of 4 and 6 pictures), each hit writes the one that
is not there, and what is found afterwards must be one of them, whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import statistics
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CLASSES = (5, 7)
PICTURES = (4, 6)


@dataclasses.dataclass(frozen=True)
class Writer:
    """Something that writes one of two versions over the other.

    Args:
        name: What it is called.
        write: Writes the version of a number, 0 or 1.
        find: The version that is there; `None` where what is there says itself that it is not whole, so that readers
            refuse it. An exception means that something was lost or mixed.
        places: Folders in which no leftovers may lie after a write that was not killed.
        clear: Makes room for a version, where nothing is written over.
        leftover: The pattern of the names of leftovers.
    """

    name: str
    write: Callable[[int], Any]
    find: Callable[[], int | None]
    places: tuple[Path, ...] = ()
    clear: Callable[[int], Any] = lambda version: None
    leftover: str = ".????????.*"


def hit(writer: Writer, count: int, seed: int = 0) -> dict[str, Any]:
    """Kills a writer again and again.

    Args:
        writer: The writer.
        count: How often it is killed; children that end before their time do not count.
        seed: Of the moments.

    Returns:
        The number of hits, how often each kind of state was found after them, and the median duration of a write in
        milliseconds.

    Raises:
        AssertionError: Something was lost or mixed, a leftover stayed, or writing again did not work.
    """
    rng = random.Random(seed)
    current = 0
    durations = []
    for version in (1, 0, 1, 0):
        writer.clear(version)
        durations.append(_timed(writer, version))
    length = statistics.median(durations)
    found: Counter[str] = Counter()
    while sum(found.values()) < count:
        version = 1 - current
        writer.clear(version)
        child = _fork(writer, version)
        time.sleep(rng.uniform(0, length))
        os.kill(child, signal.SIGKILL)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL:
            there = writer.find()
            found[{None: "refused by readers", current: "old", version: "new"}[there]] += 1
        _timed(writer, version)
        current = version
    return {"hits": sum(found.values()), **found, "median_ms": 1000 * length}


def _timed(writer: Writer, version: int) -> float:
    """The seconds of a write that is not killed."""
    start = time.monotonic()
    status = os.waitstatus_to_exitcode(os.waitpid(_fork(writer, version), 0)[1])
    seconds = time.monotonic() - start
    assert status == 0, f"{writer.name}: writing again ends with {status}"
    assert writer.find() == version, f"{writer.name}: writing again leaves something else"
    left = [str(entry) for place in writer.places for entry in place.rglob(writer.leftover)]
    assert not left, f"{writer.name}: leftovers {left}"
    return seconds


def _fork(writer: Writer, version: int) -> int:
    child = os.fork()
    if child:
        return child
    errors = os.fdopen(os.dup(2), "w")
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # progress bars
        writer.write(version)
        os._exit(0)
    except BaseException:
        traceback.print_exc(file=errors)
        errors.flush()
    os._exit(1)


def models(limit_threads: bool = True) -> list[Any]:
    """Makes the two networks.

    Args:
        limit_threads: Whether TensorFlow gets no threads of its own, which a fork would not take along.
    """
    import tensorflow as tf

    if limit_threads:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    from keras_segformer import SegFormer

    return [SegFormer(tiny_config(classes)) for classes in CLASSES]


def tiny_config(classes: int) -> Any:
    """Returns the hyper-parameters of a network of 30 thousand parameters."""
    from keras_segformer import MixTransformerConfig, SegFormerConfig

    encoder = MixTransformerConfig(embed_dims=(16, 16, 20, 24), depths=(1, 1, 1, 1), mlp_ratios=(1, 1, 1, 1))
    return SegFormerConfig(encoder=encoder, num_classes=classes, decoder_width=16, input_size=(64, 64))


def convert_writer(networks: list[Any], folder: Path) -> Writer:
    """`convert` of the two networks, whose graphs are exported once: a fork could not do that."""
    convert = importlib.import_module("keras_segformer.conversion.convert")
    path, contents, export = folder / "model.tflite", [], convert._export

    def remember(*args: Any) -> Any:
        contents.append(export(*args))
        return contents[-1]

    convert._export = remember
    for network in networks:
        convert.convert(network, folder / "first.tflite", input_size=(64, 64), report=False)

    def write(version: int) -> None:
        convert._export = lambda *_: contents[version]
        convert.convert(networks[version], path, input_size=(64, 64), report=False)

    def find() -> int | None:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        content = path.read_bytes()
        assert len(content) > 1000, "the .tflite file is cut off"
        if facts["sha256"] != hashlib.sha256(content).hexdigest():
            return None
        return CLASSES.index(len(facts["label_set"]["names"]))

    return Writer("convert", write, find, (folder,))


def preset_writer(networks: list[Any], folder: Path) -> Writer:
    """`save_to_preset`."""
    from keras_segformer.presets.keras_folder import WEIGHTS, KerasCheckpoint
    from keras_segformer.presets.weights_file import open_weights

    path = folder / "preset"

    def find() -> int:
        before = path.stat()
        config = KerasCheckpoint.read(path).config  # which compares the digest of the weights
        with open_weights(path / WEIGHTS) as file:
            shapes: list[tuple[int, ...]] = []
            file.visititems(lambda _, item: shapes.append(getattr(item, "shape", ())))
        after = path.stat()
        if (before.st_ino, before.st_mtime_ns) != (after.st_ino, after.st_mtime_ns):
            raise FileNotFoundError(f"{path} was exchanged while it was read")
        assert (config.num_classes,) in shapes, "config and weights are of two versions"
        return CLASSES.index(config.num_classes)

    return Writer("save_to_preset", lambda version: networks[version].save_to_preset(path, True), find, (folder,))


def transformers_writer(networks: list[Any], folder: Path) -> Writer:
    """`save_to_transformers`."""
    from keras_segformer.presets.tensor_files import read_tensors

    path = folder / "transformers"

    def find() -> int:
        labels = json.loads((path / "config.json").read_text(encoding="utf-8"))["id2label"]
        json.loads((path / "preprocessor_config.json").read_text(encoding="utf-8"))
        classifier = read_tensors(path / "model.safetensors")["decode_head.classifier.bias"]
        assert len(labels) == len(classifier), "config and weights are of two versions"
        return CLASSES.index(len(labels))

    return Writer(
        "save_to_transformers", lambda version: networks[version].save_to_transformers(path, True), find, (folder,)
    )


def import_writer(folder: Path) -> Writer:
    """The import of labels, from two exports in YOLO's format."""
    from keras_segformer.data.importers import import_labels

    path = folder / "imported"
    for version, count in enumerate(PICTURES):
        _write_yolo(folder / f"export{version}", count, classes=CLASSES[version])

    def find() -> int:
        names = json.loads((path / "classes.json").read_text(encoding="utf-8"))["names"]
        images, masks = ({file.stem for file in path.rglob(f"{kind}/*")} for kind in ("images", "masks"))
        assert images == masks, "pictures and masks differ"
        version = PICTURES.index(len(images))
        # The background is a class of its own.
        assert len(names) == CLASSES[version] + 1, "classes and pictures are of two versions"
        for mask in path.rglob("masks/*"):
            Image.open(mask).load()
        return version

    def write(version: int) -> None:
        import_labels(folder / f"export{version}", path, overwrite=True)

    return Writer("data import", write, find, (folder,))


def _write_yolo(folder: Path, count: int, classes: int) -> None:
    for kind in ("images", "labels"):
        (folder / "train" / kind).mkdir(parents=True)
    names = ", ".join(f"thing{index}" for index in range(classes))
    (folder / "data.yaml").write_text(f"train: train/images\nnc: {classes}\nnames: [{names}]\n")
    noise = np.random.default_rng(0)
    for index in range(count):
        Image.fromarray(noise.integers(0, 256, (48, 64, 3), np.uint8)).save(folder / f"train/images/{index}.jpg")
        line = f"{index % classes} 0.1 0.1 0.9 0.1 0.9 0.9"
        (folder / f"train/labels/{index}.txt").write_text(f"{line}\n")


def preparation_writer(folder: Path) -> Writer:
    """The preparation of two data sets in one cache."""
    from keras_segformer.data import loading

    cache, wanted = folder / "cache", [0]
    for version, count in enumerate(PICTURES):
        write_folder(folder / f"data{version}", count)

    def clear(version: int) -> None:
        wanted[0] = version
        shutil.rmtree(cache, ignore_errors=True)

    def find() -> int:
        version = wanted[0]
        prepared = [info.parent for info in cache.rglob("dataset_info.json") if "incomplete" not in str(info)]
        if not prepared:
            return 1 - version
        [place] = prepared
        [split] = json.loads((place / "dataset_info.json").read_text(encoding="utf-8"))["splits"]
        assert sum(map(int, split["shardLengths"])) == PICTURES[version], "not all examples are there"
        assert sum(map(_count_records, place.glob("*.tfrecord*"))) == PICTURES[version], "records are lost"
        return version

    def write(version: int) -> None:
        with loading._quiet_tfds():
            loading._prepared_builder("folder", folder / f"data{version}", cache, False, None)

    return Writer("data preparation", write, find, (cache,), clear, leftover="incomplete.*")


def _count_records(file: Path) -> int:
    """The records of a TFRecord file: length (8 bytes), its check sum (4), the data, its check sum (4)."""
    content, position, count = file.read_bytes(), 0, 0
    while position < len(content):
        position += 16 + int.from_bytes(content[position : position + 8], "little")
        count += 1
    assert position == len(content), f"{file} is cut off"
    return count


def write_folder(folder: Path, count: int, size: tuple[int, int] = (48, 64), classes: int = 3) -> None:
    """Writes a data set of noise and blocks.

    Args:
        folder: The folder to write.
        count: The number of pictures.
        size: Their height and width.
        classes: The number of classes.
    """
    noise = np.random.default_rng(count)
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for index in range(count):
        mask = noise.integers(0, classes, (size[0] // 16, size[1] // 16)).repeat(16, 0).repeat(16, 1)
        picture = np.clip(mask[..., None] * 80 + noise.integers(0, 60, (*size, 3)), 0, 255)
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"images/{index}.png")
        Image.fromarray(mask.astype(np.uint8)).save(folder / f"masks/{index}.png")


WRITERS = ("convert", "save_to_preset", "save_to_transformers", "data import", "data preparation")


def hit_writers(names: tuple[str, ...], count: int, folder: Path, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Kills writers again and again.

    Args:
        names: Of `WRITERS`.
        count: How often each is killed.
        folder: An empty folder.
        seed: Of the moments.

    Returns:
        What `hit` returns, by name.

    Raises:
        AssertionError: As in `hit`.
    """
    networks = models()
    makers = {
        "convert": lambda place: convert_writer(networks, place),
        "save_to_preset": lambda place: preset_writer(networks, place),
        "save_to_transformers": lambda place: transformers_writer(networks, place),
        "data import": import_writer,
        "data preparation": preparation_writer,
    }
    rows = {}
    for name in names:
        place = folder / name.replace(" ", "_")
        place.mkdir(parents=True)
        rows[name] = hit(makers[name](place), count, seed)
    return rows


def hit_training(count: int, folder: Path, seed: int = 0, epochs: int = 60) -> dict[str, Any]:
    """Kills one run of training again and again, each time when it has gone on for a while, and lets it end.

    Call it before TensorFlow has run anything in this process: its threads do not survive a fork.

    Args:
        count: How often it is killed.
        folder: An empty folder, or one with the `preset` to start from.
        seed: Of the moments.
        epochs: The length of the run: more than one for each hit.

    Returns:
        The number of hits, and how many of them came after the first checkpoint.

    Raises:
        AssertionError: The weights differ from those of a run that was not killed, or a resumed run did not work.
    """
    import keras_segformer.training.run as training_module

    write_folder(folder / "data/train", 6)
    write_folder(folder / "data/val", 3)
    assert _train(training_module, folder, "whole", epochs).wait() == 0
    rng, run, hits, late, first_epoch = random.Random(seed), folder / "killed", 0, 0, 0.0
    while hits < count:
        before, start = _checkpoints(run), time.monotonic()
        child = _train(training_module, folder, "killed", epochs)
        if first_epoch and rng.random() < 0.3:
            time.sleep(rng.uniform(0, first_epoch))  # while it starts, and in its first epoch
        else:
            while child.alive() and _checkpoints(run) == before:
                time.sleep(0.005)
            first_epoch = first_epoch or time.monotonic() - start
            time.sleep(rng.uniform(0, 0.3))  # while it writes the checkpoint, or in the epochs after it
        if not child.kill():
            assert child.wait() == 0, f"a resumed run failed; see {folder / 'killed.log'}"
            break
        hits += 1
        late += _checkpoints(run) != ()
    assert _train(training_module, folder, "killed", epochs).wait() == 0
    whole, killed = (_weights(folder / name) for name in ("whole", "killed"))
    assert whole == killed, "the weights of the killed run differ"
    return {"hits": hits, "after the first checkpoint": late, "equal to a run that was not killed": True}


class _Child:
    def __init__(self, pid: int) -> None:
        self.pid, self.status = pid, None

    def alive(self) -> bool:
        if self.status is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if done else None
        return self.status is None

    def kill(self) -> bool:
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status


def _train(module: Any, folder: Path, name: str, epochs: int) -> _Child:
    child = os.fork()
    if child:
        return _Child(child)
    try:
        log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from keras_segformer import SegFormer
        from keras_segformer.training.recipe import Recipe

        preset = folder / "preset"
        if not preset.exists():
            SegFormer(tiny_config(3)).save_to_preset(preset)
        values = dict.fromkeys(("title", "command", "expected", "time"), "kills")
        recipe = Recipe(
            **values,
            dataset="folder",
            initial=str(preset),
            augmentation={"crop_size": [32, 32], "scale": [0.8, 1.2]},
            batch_size=2,
            steps=4 * epochs,
            steps_per_epoch=4,
            schedule={"rate": 1e-3, "warmup_steps": 2},
            validation_size=[48, 64],
            evaluation={"mode": "whole", "size": "native"},
        )
        settings = module.RunSettings(
            folder / name, data=folder / "data", cache=folder / "cache", resume=True, deterministic=True
        )
        module.train(SegFormer, recipe, settings)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


def _checkpoints(run: Path) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in (run / "checkpoints").glob("[!.]*")))


def _weights(run: Path) -> dict[str, str]:
    import h5py

    digests: dict[str, str] = {}
    with h5py.File(run / "preset/model.weights.h5") as file:
        file.visititems(
            lambda name, item: (
                digests.update({name: hashlib.sha256(item[()].tobytes()).hexdigest()})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return digests
