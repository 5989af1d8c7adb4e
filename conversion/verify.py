"""A TF Lite file against the model that it was converted from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.evaluation.tflite import border_of_facts, facts_beside
from keras_segformer.images import ImageSource, find_images, load_image
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets import load_segmenter

from .progress import Progress, silent
from .report.verification import Verification, check_num_labels, verify_content
from .tflite.content import content_of
from .tflite.reader import check_identifier


def verify(
    file: bytes | str | os.PathLike[str],
    against: SegFormerNetwork | str | os.PathLike[str],
    images: str | os.PathLike[str] | Iterable[ImageSource],
    progress: Progress = silent,
    bit_depth: int | None = None,
    *,
    half: bool = False,
) -> Verification:
    """Run a TF Lite file and its model on the same images and compare the labels.

    Args:
        file: The path of the file, or its content. It takes images on the scale 0..255 and gives logits or labels. The
            JSON file beside it says whether the images need a border.
        against: The model, or what `SegFormer.from_preset` takes.
        images: Paths, PIL images or arrays `(H, W, 3)`; or the name of a folder or a glob pattern. They are resized to
            the input of the file whatever their aspect ratio.
        progress: Called with a description and a number of steps; what it returns is called after every step.
        bit_depth: The number of significant bits in images with 16 bits a channel, if the files do not state it; see
            `keras_segformer.images.load_image`.
        half: Whether the float operations of the file are computed in float16, as CPUs with such arithmetic do with
            files that `convert(..., half=True)` has written.

    Returns:
        The agreement of the labels: overall, by image and by class, with the images that agree least.

    Raises:
        FileNotFoundError: There is no such file or image.
        InvalidImageError: An image is broken.
        MissingExtraError: LiteRT, which computes in float16, is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: There is no image, the file is not a TF Lite file, it does not fit the model, or the JSON file
            beside it is broken or describes another file.

    Example:

    ```python
    result = keras_segformer.conversion.verify("b0.tflite", "b0_ade20k", "photos/")
    result.agreement, result.vanished
    ```
    """
    content = content_of(file)
    check_identifier(content, "The file" if isinstance(file, bytes) else f"'{file}'")
    sources = find_images(images) if isinstance(images, str | os.PathLike) else list(images)
    model = against if isinstance(against, SegFormerNetwork) else load_segmenter(SegFormerNetwork, against)
    options: dict[str, Any] = {"half": half}
    if not isinstance(file, bytes):
        facts = facts_beside(Path(file), content)
        if "label_set" in facts:
            check_num_labels(LabelSet.from_dict(facts["label_set"]).num_classes, model)
        options |= {"border": border_of_facts(facts, Path(file)), "name": str(file)}
    return verify_content(content, model, _named(sources, bit_depth), progress, **options)


def _named(sources: Iterable[ImageSource], bit_depth: int | None) -> Iterator[tuple[str, np.ndarray]]:
    for index, source in enumerate(sources):
        name = Path(source).name if isinstance(source, str | os.PathLike) else f"image {index}"
        yield name, load_image(source, bit_depth)
