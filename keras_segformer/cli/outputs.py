"""The files that `keras-segformer predict` writes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_segformer.cli.sources import PictureSource
from keras_segformer.files import atomic_file
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_images import mask_image
from keras_segformer.video.sources import VideoSource


@dataclasses.dataclass(frozen=True)
class Outputs:
    """The output files of one picture or video.

    Args:
        picture: The overlay, that of a picture with its legend.
        mask: The label map, if it is wanted.
        areas: The areas of the classes as JSON, if they are wanted.
    """

    picture: Path
    mask: Path | None
    areas: Path | None


def plan_outputs(
    sources: Sequence[PictureSource | VideoSource], folder: Path, mask: bool, areas: bool
) -> list[Outputs]:
    """Chooses output files for every picture and video such that none replaces another one or an input.

    Args:
        sources: The pictures and videos. Where several have the same stem, such as `a.png` and `a.jpg`, all but the
            first get a number.
        folder: The folder of all results.
        mask: Whether label maps are wanted.
        areas: Whether areas are wanted.

    Returns:
        The files of each, in the order of `sources`.

    Raises:
        ValueError: One of the files would replace a picture.

    Example:

    >>> [str(each.picture) for each in plan_outputs([Path("a.png"), Path("b/a.png")], Path("out"), True, False)]
    ['out/a_segmented.png', 'out/a_2_segmented.png']
    """
    planned = []
    for source, stem in zip(sources, _distinct_stems(sources), strict=True):
        suffix, mask_suffix = (".mp4", ".mkv") if isinstance(source, VideoSource) else (".png", ".png")
        outputs = Outputs(
            picture=folder / f"{stem}_segmented{suffix}",
            mask=folder / f"{stem}_mask{mask_suffix}" if mask else None,
            areas=folder / f"{stem}.json" if areas else None,
        )
        planned.append(outputs)
    read = {Path(source).resolve() for source in sources}
    for outputs in planned:
        for path in dataclasses.astuple(outputs):
            if path and path.resolve() in read:
                raise ValueError(f"'{path}' is to be read and would be replaced; choose another --output folder")
    return planned


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes a picture, whole or not at all.

    Args:
        path: The PNG file.
        picture: `(H, W, 3)`, uint8.
    """
    _save_png(path, Image.fromarray(picture))


def write_mask(path: Path, labels: np.ndarray, label_set: LabelSet) -> None:
    """Writes a label map whose pixel values are class indices, whole or not at all.

    Args:
        path: The PNG file.
        labels: `(H, W)`, integer.
        label_set: The colours.
    """
    _save_png(path, mask_image(labels, label_set))


def write_areas(path: Path, labels: np.ndarray, label_set: LabelSet, source: PictureSource, preset: str) -> None:
    """Writes how much of a picture every class covers, the largest first, whole or not at all.

    Args:
        path: The JSON file.
        labels: `(H, W)`, integer.
        label_set: The names.
        source: The picture.
        preset: The model that segmented it.
    """
    pixels = np.bincount(labels.ravel(), minlength=label_set.num_classes)
    size = {"height": labels.shape[0], "width": labels.shape[1]}
    write_json(path, {"image": str(source), **size, "preset": preset, "classes": class_areas(pixels, label_set)})


def class_areas(pixels: np.ndarray, label_set: LabelSet) -> list[dict[str, Any]]:
    """Lists how much the classes that are present cover, the largest first.

    Args:
        pixels: How many pixels every class has, `(classes,)`, integer.
        label_set: The names.

    Returns:
        An object for every class.
    """
    present = [int(index) for index in np.argsort(-pixels, kind="stable") if pixels[index]]
    total = pixels.sum()
    return [
        {
            "index": index,
            "name": label_set.names[index],
            "pixels": int(pixels[index]),
            "share": float(pixels[index] / total),
        }
        for index in present
    ]


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes an object as JSON, whole or not at all.

    Args:
        path: The file.
        content: The object; without NaN, which JSON does not have.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _distinct_stems(sources: Sequence[PictureSource | VideoSource]) -> list[str]:
    stems: list[str] = []
    taken: set[str] = set()
    for source in sources:
        stem, number = source.stem, 1
        while stem.casefold() in taken:  # many file systems do not tell upper from lower case
            number += 1
            stem = f"{source.stem}_{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems


def _save_png(path: Path, image: Image.Image) -> None:
    with atomic_file(path) as temporary:
        image.save(temporary, format="PNG")
