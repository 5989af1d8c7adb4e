"""What a run notes in its folder when it begins, and compares when it goes on."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import keras

from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples
from keras_segformer.errors import InvalidDatasetError, InvalidRecipeError
from keras_segformer.files import atomic_file
from keras_segformer.json_text import read_json
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run_settings import RunSettings

CONFIG = "config.json"

_FINGERPRINTS = "fingerprints"


def read_config(folder: Path) -> tuple[Recipe | None, Mapping[str, str]]:
    """Reads what a run noted.

    Args:
        folder: The folder of the run; it may be missing.

    Returns:
        The recipe that the run followed, `None` where it had not begun, and the fingerprints of its examples by split,
        which the first versions did not note.

    Raises:
        InvalidRecipeError: The file is not that of a run; the message names it and a remedy.
    """
    path = folder / CONFIG
    if not path.exists():
        return None, {}
    try:
        content = read_json(path)
    except ValueError as error:
        raise InvalidRecipeError(
            f"'{path}' is not a JSON file ({error}); restore it, or name another output folder."
        ) from error
    if not isinstance(content, Mapping) or "recipe" not in content:
        raise InvalidRecipeError(
            f"'{path}' is not the file of a training run, since it has no `recipe`; name the folder of the run to "
            "resume, or another folder without `--resume`."
        )
    try:
        followed = Recipe.from_dict(content["recipe"])
    except InvalidRecipeError as error:
        raise InvalidRecipeError(
            f"'{path}' has a recipe that this version cannot follow ({error}); resume with the version of "
            "keras-segformer that began the run, or name another output folder."
        ) from error
    fingerprints = content.get(_FINGERPRINTS)
    return followed, fingerprints if isinstance(fingerprints, Mapping) else {}


def write_config(
    recipe: Recipe,
    settings: RunSettings,
    training: Examples,
    validation: Examples,
    fingerprints: Mapping[str, str],
) -> None:
    """Notes what a run does, with what and on what.

    Args:
        recipe: The completed recipe.
        settings: Where and on what.
        training: The examples to train on.
        validation: The examples to validate on.
        fingerprints: What `fingerprint_splits` returned.
    """
    content = {
        "recipe": recipe.to_dict(),
        "data": settings.data and str(settings.data),
        "examples": {recipe.train_split: training.size, recipe.validation_split: validation.size},
        _FINGERPRINTS: dict(fingerprints),
        "strategy": settings.strategy,
        "deterministic": settings.deterministic,
        "backend": keras.backend.backend(),
        "cpus": os.cpu_count(),
        "versions": _versions(),
    }
    with atomic_file(settings.output / CONFIG) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def fingerprint_splits(recipe: Recipe, training: Examples, validation: Examples) -> dict[str, str]:
    """Computes a text for each split that changes with its pictures, their names, their masks and their order.

    Args:
        recipe: The recipe, which names the splits.
        training: The examples to train on.
        validation: The examples to validate on.

    Returns:
        Sixteen hexadecimal digits by split. They do not depend on the place of the data or the times of the files.
    """
    return {recipe.train_split: _fingerprint(training), recipe.validation_split: _fingerprint(validation)}


def check_same_data(folder: Path, noted: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Compares the examples of a run with those that it began with.

    A split that was made is a range of all examples: with other data, pictures of it would move into the training.

    Args:
        folder: The folder of the run.
        noted: The fingerprints that the run noted; none for a new run.
        found: Those of the data now.

    Raises:
        InvalidDatasetError: They differ.
    """
    changed = [split for split, fingerprint in found.items() if noted.get(split, fingerprint) != fingerprint]
    if changed:
        raise InvalidDatasetError(
            f"The data have changed since the run in {folder} began (split {' and '.join(changed)}); resume it with "
            "the data that it began with, or name another output folder."
        )


def _fingerprint(examples: Examples) -> str:
    digest = hashlib.sha256(examples.mask_values.tobytes())
    for record in examples.encoded.as_numpy_iterator():
        for field in (NAME, IMAGE, MASK):
            # Of a fixed length each, so that a byte cannot move from one field into the next.
            digest.update(hashlib.sha256(record[field]).digest())
    return digest.hexdigest()[:16]


def _versions() -> dict[str, str]:
    """The versions of what computes; TensorFlow's package has several names, its module one."""
    modules = (sys.modules.get(name) for name in ("keras", "tensorflow", "jax", "numpy"))
    own = {"keras-segformer": importlib.metadata.version("keras-segformer")}
    return own | {module.__name__: module.__version__ for module in modules if module}
