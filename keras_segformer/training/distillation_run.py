"""The teacher of a run that follows a recipe."""

from __future__ import annotations

import logging
import os

from keras_segformer.data.masks import ANY_VALUES
from keras_segformer.data.sources import PETS, SOURCES
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets import load_segmenter
from keras_segformer.training.distillation import check_classes
from keras_segformer.training.recipe import Recipe

_LOGGER = logging.getLogger("keras_segformer")


def open_teacher(recipe: Recipe, data: str | os.PathLike[str] | None) -> SegFormerNetwork | None:
    """Loads the teacher of a recipe and sees, before the data are prepared, that it can teach their classes.

    Args:
        recipe: The recipe.
        data: Folder or archive of the data set.

    Returns:
        The teacher, or `None` where the recipe has none.

    Raises:
        InvalidRecipeError: Its classes and those of the data set differ and nothing maps them.
        PresetNotFoundError: There is no such preset.

    Example:

    ```python
    teacher = open_teacher(load_recipe("b0_camvid_distilled"), "CamVid")
    ```
    """
    settings = recipe.build_teacher()
    if settings is None:
        return None
    label_set = _known_classes(recipe.dataset, data)
    teacher = load_segmenter(SegFormerNetwork, settings.preset, dtype=recipe.dtype)
    if label_set is not None:
        try:
            check_classes(teacher.label_set, label_set, settings.class_mapping)
        except (FileNotFoundError, ValueError) as error:
            raise InvalidRecipeError(f"The teacher {settings.preset!r} cannot teach this data set: {error}") from error
    # A checkpoint of the student holds none of it.
    size = teacher.count_params()
    _LOGGER.warning(
        "The teacher %s has %.1f million parameters, %.0f MB in memory; every step also takes its forward pass",
        settings.preset,
        size / 1e6,
        4 * size / 1e6,
    )
    return teacher


def describe_teacher(recipe: Recipe, teacher: SegFormerNetwork | None) -> str:
    """The sentence of a model card about the teacher, with its terms.

    Args:
        recipe: What the run followed.
        teacher: Its teacher.

    Returns:
        Markdown, empty without a teacher.
    """
    settings = recipe.build_teacher()
    if settings is None or teacher is None:
        return ""
    terms = teacher.license.terms if teacher.license else "terms not stated"
    return (
        f"\nDistilled from the teacher `{settings.preset}` ({teacher.count_params():,} parameters), whose logits it "
        f"was trained to match by {settings.kind} at temperature {settings.temperature:g} and weight "
        f"{settings.weight:g}. Terms of the teacher: {terms}.\n"
    )


def _known_classes(dataset: str, data: str | os.PathLike[str] | None) -> LabelSet | None:
    """The classes of a data set, where they are known before its masks are read."""
    if dataset == PETS:
        return load_label_set(PETS)
    if data is None or dataset not in SOURCES:
        return None  # `load` says what is wrong
    coding = SOURCES[dataset].coding(data)
    return None if coding.label_set == ANY_VALUES.label_set else coding.label_set
