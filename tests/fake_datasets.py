"""Tiny data sets in the layouts in which the real ones are published."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from keras_segformer.label_sets import load_label_set

Masks = dict[str, np.ndarray]
"""Class indices `(H, W)`, 255 for ignored pixels, by the name of the example."""


def write_image(path: Path, size: tuple[int, int] = (40, 50), seed: int = 0) -> None:
    """A picture of noise in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def write_mask(path: Path, values: np.ndarray, palette: bool = False) -> None:
    """A PNG that holds values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette:
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    image.save(path)


def random_mask(values: list[int], size: tuple[int, int] = (40, 50), seed: int = 0) -> np.ndarray:
    """Blocks of random values, `(H, W)`, uint8, in which each of the values occurs."""
    blocks = np.random.default_rng(seed).permutation(np.resize(values, (size[0] // 4) * (size[1] // 5)))
    return np.kron(blocks.reshape(size[0] // 4, size[1] // 5), np.ones((4, 5))).astype(np.uint8)


def write_ade20k(folder: Path) -> dict[str, Masks]:
    """`ADEChallengeData2016` with values of class + 1, 0 for none."""
    written = {}
    for split, long, names in (("train", "training", ("a", "b", "c")), ("val", "validation", ("d",))):
        written[split] = {f"ADE_{long}_{name}": random_mask([0, 1, 2, 150], seed=ord(name)) for name in names}
        for name, values in written[split].items():
            write_image(folder / "ADEChallengeData2016/images" / long / f"{name}.jpg")
            write_mask(folder / "ADEChallengeData2016/annotations" / long / f"{name}.png", values)
    return {split: {name: values - np.uint8(1) for name, values in masks.items()} for split, masks in written.items()}


def write_cityscapes(folder: Path) -> dict[str, Masks]:
    """`leftImg8bit` and `gtFine` with label ids."""
    raw_to_train = load_label_set("cityscapes").raw_to_train
    written: dict[str, Masks] = {}
    for split, city in (("train", "aachen"), ("train", "ulm"), ("val", "lindau")):
        stem = f"{city}_000000_000019"
        ids = random_mask([0, 4, 7, 8, 26, 29, 33], seed=len(city))
        write_image(folder / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png")
        write_mask(folder / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png", ids)
        write_mask(folder / "gtFine" / split / city / f"{stem}_gtFine_instanceIds.png", ids)
        trained = np.vectorize(lambda value: raw_to_train.get(value, 255), otypes=[np.uint8])(ids)
        written.setdefault(split, {})[f"{city}/{stem}"] = trained
    return written


def write_camvid(folder: Path) -> dict[str, Masks]:
    """`train` and `trainannot` as in SegNet's release."""
    return _write_camvid(folder, "{split}", "{split}annot")


def write_camvid_as_shared(folder: Path) -> dict[str, Masks]:
    """`train/images` and `train/labels`."""
    return _write_camvid(folder, "{split}/images", "{split}/labels")


def _write_camvid(folder: Path, images: str, masks: str) -> dict[str, Masks]:
    written: dict[str, Masks] = {}
    for split, name in (("train", "0001TP_1"), ("train", "0001TP_2"), ("val", "0016E5_1")):
        values = random_mask([*range(12)], seed=len(split))
        write_image(folder / images.format(split=split) / f"{name}.png")
        write_mask(folder / masks.format(split=split) / f"{name}.png", values)
        written.setdefault(split, {})[name] = np.where(values == 11, 255, values).astype(np.uint8)
    return written


def write_voc2012(folder: Path) -> dict[str, Masks]:
    """`VOCdevkit/VOC2012` with palette masks, and images that have none."""
    root = folder / "VOCdevkit/VOC2012"
    written: dict[str, Masks] = {}
    for split, names in (("train", ("2007_1", "2007_2")), ("val", ("2007_3",))):
        written[split] = {name: random_mask([0, 15, 20, 255], seed=len(name)) for name in names}
        for name, values in written[split].items():
            write_image(root / "JPEGImages" / f"{name}.jpg")
            write_mask(root / "SegmentationClass" / f"{name}.png", values, palette=True)
        lists = root / "ImageSets/Segmentation"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    write_image(root / "JPEGImages/2008_detection_only.jpg")
    return written


def write_folder(folder: Path, count: int = 3) -> dict[str, Masks]:
    """`images` and `masks` with class indices of three classes."""
    masks = {f"pet_{index}": random_mask([0, 1, 2, 255], seed=index) for index in range(count)}
    for index, (name, values) in enumerate(masks.items()):
        write_image(folder / "images" / f"{name}.jpg", seed=index)
        write_mask(folder / "masks" / f"{name}.png", values)
    return {"train": masks}


def write_classes(folder: Path, **more: object) -> None:
    """A `classes.json` of two classes."""
    content = {"name": "pets", "names": ["cat", "dog"], "palette": [[255, 0, 0], [0, 0, 255]], **more}
    (folder / "classes.json").write_text(json.dumps(content))


WRITERS: Mapping[str, Callable[[Path], dict[str, Masks]]] = {
    "ade20k": write_ade20k,
    "cityscapes": write_cityscapes,
    "camvid": write_camvid,
    "voc2012": write_voc2012,
    "folder": write_folder,
}
"""A writer for every data set that is read from a folder."""


def zip_folder(folder: Path, archive: Path) -> None:
    """Packs what is in a folder, with the entries for folders that zip programs write."""
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
