"""A training run from a recipe: resumable, logged, and ending in a preset."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import itertools
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np

from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import load
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.errors import InvalidRecipeError, MissingExtraError
from keras_segformer.evaluation.evaluate import evaluate
from keras_segformer.files import atomic_file, atomic_folder
from keras_segformer.json_text import read_json
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import VARIANTS, SegFormerNetwork
from keras_segformer.presets import load_segmenter, save_keras_folder
from keras_segformer.presets.keras_folder import WEIGHTS
from keras_segformer.training.callbacks import (
    CheckpointCallback,
    EarlyStopping,
    Pictures,
    RawWeights,
    RunProgress,
    write_history,
)
from keras_segformer.training.curve import draw_curve
from keras_segformer.training.defaults import default_metrics
from keras_segformer.training.model_card import model_card
from keras_segformer.training.recipe import Phase, Recipe
from keras_segformer.training.run_state import RunState, uses_average
from keras_segformer.training.strategies import Devices, open_strategy

NUM_PICTURES = 4
"""Validation pictures that TensorBoard shows."""

CONFIG = "config.json"
PRESET = "preset"
CURVE = "curve.png"

Network = TypeVar("Network", bound=SegFormerNetwork)


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Where a run reads and writes, and on what it computes.

    Args:
        output: The folder of the run.
        data: Folder or archive of the data set; `None` for those that TFDS downloads.
        cache: Where the prepared data set is kept; TFDS's own place by default.
        skip_bad: Whether broken examples are left out, and named, instead of being an error.
        bit_depth: How many bits of pictures with 16 bits a channel count.
        resume: Whether to go on with the run in `output`.
        strategy: `"none"`, `"mirrored"` or `"data-parallel"`; see `open_strategy`.
        deterministic: Whether TensorFlow uses only operations that give the same bits every time, which are slower.
    """

    output: Path
    data: Path | None = None
    cache: Path | None = None
    skip_bad: bool = False
    bit_depth: int | None = None
    resume: bool = False
    strategy: str = "none"
    deterministic: bool = False


def train(network: type[Network], recipe: Recipe, settings: RunSettings) -> Path:
    """Follows a recipe.

    The folder of the run then holds `config.json`, `history.csv`, `curve.png`, `tensorboard/`, `checkpoints/` (the
    last one), `best/` (the best weights), and at the end `preset/` with a model card. A run that was killed, at
    whatever moment, goes on with `resume`.

    Args:
        network: The class of the model.
        recipe: What to do.
        settings: Where and on what.

    Returns:
        The preset folder.

    Raises:
        FileExistsError: The folder holds something, and `resume` is false.
        InvalidRecipeError: The run to resume followed another recipe.
        InvalidDatasetError: The data set is missing or broken.
        MissingExtraError: A package that training needs is not installed.
        ValueError: The strategy is not to be had here, or cannot divide the batch.

    Example:

    ```python
    train(SegFormer, load_recipe("b0_camvid"), RunSettings(Path("run"), data=Path("camvid")))
    ```
    """
    _require_packages()
    state = _open_folder(recipe, settings)
    keras.utils.set_random_seed(recipe.seed)
    if settings.deterministic:
        _make_deterministic()
    with open_strategy(settings.strategy) as devices:
        devices.check_batch_size(recipe.batch_size)
        training, validation = (
            load(recipe.dataset, split, settings.data, settings.cache, settings.skip_bad, settings.bit_depth)
            for split in (recipe.train_split, recipe.validation_split)
        )
        if devices.is_chief:
            _write_config(recipe, settings, training, validation)
        model = build_model(network, recipe, training.label_set)
        devices.check_optimizer(model.optimizer)
        _fit(model, recipe, state, training, validation, devices)
    if devices.is_chief:
        _finish(network, recipe, settings, state, validation)
    return settings.output / PRESET


def build_model(network: type[Network], recipe: Recipe, label_set: LabelSet) -> Network:
    """The compiled model that a recipe starts from.

    Args:
        network: The class of the model.
        recipe: The recipe.
        label_set: The classes of the data set.

    Returns:
        The model.

    Raises:
        PresetNotFoundError: The preset cannot be found or downloaded.
    """
    num_classes = label_set.num_classes
    if recipe.initial in VARIANTS:
        config = VARIANTS[recipe.initial].replace(num_classes=num_classes, **recipe.model)
        model = network(config, label_set=label_set, license=recipe.build_license(), dtype=recipe.dtype)
    else:
        model = load_segmenter(
            network,
            recipe.initial,
            num_classes=num_classes,
            load_weights=not recipe.random_weights,
            label_set=label_set,
            dtype=recipe.dtype,
            **recipe.model,
        )
        model.license = model.license or recipe.build_license()
    model.compile(recipe.build_optimizer(), loss=recipe.build_loss(), metrics=default_metrics(num_classes, label_set))
    return model


def _fit(
    model: SegFormerNetwork,
    recipe: Recipe,
    state: RunState,
    training: Examples,
    validation: Examples,
    devices: Devices,
) -> None:
    """Trains for the epochs that are left."""
    if state.epoch:
        state.restore(model)
    for phase in recipe.build_phases():
        if state.epoch < phase.end_epoch and not _has_stopped(model, recipe, state):
            _fit_phase(model, recipe, phase, state, training, validation, devices)


def _has_stopped(model: SegFormerNetwork, recipe: Recipe, state: RunState) -> bool:
    """Whether the epochs so far end the run early."""
    if recipe.early_stopping is None:
        return False
    early_stopping = EarlyStopping(state.history, **recipe.early_stopping)
    early_stopping.set_model(model)
    early_stopping.on_train_begin()
    return model.stop_training


def _fit_phase(
    model: SegFormerNetwork,
    recipe: Recipe,
    phase: Phase,
    state: RunState,
    training: Examples,
    validation: Examples,
    devices: Devices,
) -> None:
    """Trains for what is left of a phase."""
    if model.train_function is not None:
        # Keras would trace it with sizes left open to fit both crops: slower, and other bits than in a resumed run.
        model.make_train_function(force=True)
    num_workers, worker = devices.workers
    dataset = training_dataset(
        training,
        phase.augmentation,
        recipe.batch_size // num_workers,
        seed=recipe.seed,
        start=state.epoch * recipe.steps_per_epoch * recipe.batch_size,
        num_workers=num_workers,
        worker=worker,
    )
    callbacks = _callbacks(model, recipe, state, validation, devices)
    if recipe.early_stopping is not None:
        callbacks.append(EarlyStopping(state.history, **recipe.early_stopping))
    progress = RunProgress(state, recipe.steps_per_epoch, recipe.epochs)
    try:
        model.fit(
            dataset,
            epochs=phase.end_epoch,
            initial_epoch=state.epoch,
            steps_per_epoch=recipe.steps_per_epoch,
            validation_data=devices.evaluation_batches(
                validation, recipe.validation_batch_size, recipe.validation_size
            ),
            callbacks=[*callbacks, progress] if devices.is_chief else callbacks,
            verbose=0,
            shuffle=False,
        )
    finally:
        progress.close()


def _callbacks(
    model: SegFormerNetwork, recipe: Recipe, state: RunState, validation: Examples, devices: Devices
) -> list[keras.callbacks.Callback]:
    """In the order in which they act at the end of an epoch."""
    callbacks: list[keras.callbacks.Callback] = []
    if uses_average(model):
        # Validation, hence the choice of the best epoch, is of the averaged weights.
        callbacks.extend([keras.callbacks.SwapEMAWeights(), RawWeights()])
    callbacks.append(CheckpointCallback(state, recipe.batch_size, writes=devices.is_chief))
    if devices.is_chief:
        folder = state.folder / "tensorboard"
        callbacks.append(keras.callbacks.TensorBoard(folder, write_graph=False))
    if devices.can_predict:
        records = itertools.islice(validation.encoded, NUM_PICTURES)
        images = [np.asarray(validation.decode(record)[0]) for record in records]
        callbacks.append(Pictures(state.folder / "tensorboard" / "pictures", images))
    return callbacks


def _open_folder(recipe: Recipe, settings: RunSettings) -> RunState:
    """The state of the run in the output folder, which must be this one's or hold nothing."""
    folder = settings.output
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"The output {folder} is a file; name a folder.")
    if not settings.resume:
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(
                f"The folder {folder} is not empty: go on with the run in it with `--resume`, or name another folder."
            )
        return RunState(folder)
    config = folder / CONFIG
    if config.exists() and not recipe.trains_like(Recipe.from_dict(read_json(config)["recipe"])):
        raise InvalidRecipeError(
            f"The run in {folder} followed another recipe (see {config}); resume it with the same recipe and changes, "
            "or name another folder."
        )
    return RunState.read(folder)


def _write_config(recipe: Recipe, settings: RunSettings, training: Examples, validation: Examples) -> None:
    content = {
        "recipe": recipe.to_dict(),
        "data": settings.data and str(settings.data),
        "examples": {recipe.train_split: training.size, recipe.validation_split: validation.size},
        "strategy": settings.strategy,
        "deterministic": settings.deterministic,
        "backend": keras.backend.backend(),
        "cpus": os.cpu_count(),
        "versions": _versions(),
    }
    with atomic_file(settings.output / CONFIG) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    """The versions of what computes; TensorFlow's package has several names, its module one."""
    modules = (sys.modules.get(name) for name in ("keras", "tensorflow", "jax", "numpy"))
    own = {"keras-segformer": importlib.metadata.version("keras-segformer")}
    return own | {module.__name__: module.__version__ for module in modules if module}


def _finish(
    network: type[Network], recipe: Recipe, settings: RunSettings, state: RunState, validation: Examples
) -> None:
    """Writes tables, curve and preset of a run that is over."""
    write_history(settings.output / "history.csv", state.history)
    draw_curve(state.history, settings.output / CURVE)
    model = load_segmenter(network, state.best_preset)
    model.license = model.license or recipe.build_license()
    with atomic_folder(settings.output / PRESET, overwrite=True) as temporary:
        save_keras_folder(model, temporary, overwrite=True, weights_dtype=recipe.weights_dtype)
        # The scores are to be those of the weights as they are on disk.
        model.load_weights(temporary / WEIGHTS)
        evaluation = evaluate(model, validation, **recipe.evaluation)
        shutil.copy(settings.output / CURVE, temporary)
        card = model_card(recipe, model, state, evaluation)
        (temporary / "README.md").write_text(card, encoding="utf-8")


def _require_packages() -> None:
    """Sees what is missing before the data are prepared."""
    for module in ("tensorflow_datasets", "tensorboard", "matplotlib"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, "training")


def _make_deterministic() -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
