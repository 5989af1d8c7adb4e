"""A training run from a recipe: resumable, logged, and ending in a preset."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import keras

from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import check_place
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.errors import InvalidRecipeError, MissingExtraError
from keras_segformer.evaluation.evaluate import Evaluation, evaluate
from keras_segformer.evaluation.figure import draw_evaluation
from keras_segformer.files import atomic_file, atomic_folder, write_file
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import VARIANTS, SegFormerNetwork
from keras_segformer.presets import PRESETS, load_segmenter, save_keras_folder
from keras_segformer.presets.keras_folder import WEIGHTS
from keras_segformer.presets.lookup import locate
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
from keras_segformer.training.distillation import distill
from keras_segformer.training.distillation_run import open_teacher
from keras_segformer.training.example_pictures import first_examples, write_examples
from keras_segformer.training.model_card import model_card
from keras_segformer.training.recipe import Phase, Recipe
from keras_segformer.training.run_config import CONFIG, check_same_data, fingerprint_splits, read_config, write_config
from keras_segformer.training.run_data import SPLIT, announce_data, load_data, write_split
from keras_segformer.training.run_settings import RunSettings
from keras_segformer.training.run_state import RunState, uses_average
from keras_segformer.training.start import default_start, describe_start
from keras_segformer.training.strategies import Devices, open_strategy

PRESET = "preset"
CURVE = "curve.png"
SCORES = "scores.json"
FIGURE = "scores.png"
EXAMPLES = "examples"

Network = TypeVar("Network", bound=SegFormerNetwork)


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """What a run leaves.

    Args:
        preset: The preset folder.
        recipe: What the run followed, with the values that followed the data.
        evaluation: The scores of the preset; `None` in processes that do not write.
    """

    preset: Path
    recipe: Recipe
    evaluation: Evaluation | None


def train(network: type[Network], recipe: Recipe, settings: RunSettings) -> Path:
    """Follows a recipe.

    The folder of the run then holds `config.json`, `history.csv`, `curve.png`, `tensorboard/`, `checkpoints/` (the
    last one), `best/` (the best weights), and at the end `preset/` with a model card, its scores as `scores.json` and
    `scores.png`, and `examples/`. Where the validation split was made, `split.json` lists it. A run that was killed,
    at whatever moment, goes on with `resume`.

    Args:
        network: The class of the model.
        recipe: What to do.
        settings: Where and on what.

    Returns:
        The preset folder.

    Raises:
        FileExistsError: The folder holds something, and `resume` is false.
        InvalidRecipeError: The run to resume followed another recipe, or the recipe does not fit the data.
        InvalidDatasetError: The data set is missing or broken, or is not that of the run to resume.
        MissingExtraError: A package that training needs is not installed.
        PresetNotFoundError: The preset to start from cannot be found or downloaded.
        ValueError: The strategy is not available here, or cannot divide the batch.

    Example:

    ```python
    train(SegFormer, load_recipe("b0_camvid"), RunSettings(Path("run"), data=Path("camvid")))
    ```
    """
    return follow(network, recipe, settings).preset


def follow(network: type[Network], recipe: Recipe, settings: RunSettings) -> FinishedRun:
    """Follows a recipe, as `train` does.

    Args:
        network: As for `train`.
        recipe: As for `train`.
        settings: As for `train`.

    Returns:
        The preset with its scores.
    """
    _require_packages()
    state, recipe, noted = _open_folder(recipe, settings)
    keras.utils.set_random_seed(recipe.seed)
    if settings.deterministic:
        _make_deterministic()
    evaluation = None
    with open_strategy(settings.strategy) as devices:
        if recipe.batch_size is not None:
            devices.check_batch_size(recipe.batch_size)
        check_place(recipe.dataset, settings.data)
        recipe = _with_start(recipe, devices)
        teacher = open_teacher(recipe, settings.data)
        given_split = recipe.validation_split
        recipe, training, validation = load_data(recipe, settings, devices)
        fingerprints = fingerprint_splits(recipe, training, validation)
        check_same_data(settings.output, noted, fingerprints)
        # Loading a teacher or preparing a data set draws numbers; a run begins in the same way without them.
        keras.utils.set_random_seed(recipe.seed)
        if devices.is_chief:
            announce_data(recipe, training, validation)
        model = build_model(network, recipe, training.label_set, teacher)
        devices.check_optimizer(model.optimizer)
        # What is refused leaves no file behind, so that the corrected command finds the folder as it was.
        if devices.is_chief:
            if recipe.validation_split not in (given_split, "val"):
                write_split(recipe, settings, training, validation)
            write_config(recipe, settings, training, validation, fingerprints)
        _fit(model, recipe, state, training, validation, devices)
    if devices.is_chief:
        evaluation = _finish(network, recipe, settings, state, validation, teacher)
    return FinishedRun(settings.output / PRESET, recipe, evaluation)


def _with_start(recipe: Recipe, devices: Devices) -> Recipe:
    """The recipe with the preset to start from, which is on this machine afterwards."""
    is_default = recipe.initial is None
    without_files = VARIANTS.keys() | (PRESETS.keys() if recipe.random_weights else set())
    if is_default:
        recipe = recipe.replace({"initial": default_start()})
    elif recipe.initial not in without_files:
        locate(recipe.initial)
    if devices.is_chief:
        print(describe_start(recipe.initial, recipe.random_weights, is_default), file=sys.stderr)
    return recipe


def build_model(
    network: type[Network], recipe: Recipe, label_set: LabelSet, teacher: SegFormerNetwork | None = None
) -> Network:
    """Builds and compiles the model that a recipe starts from.

    Args:
        network: The class of the model.
        recipe: The recipe.
        label_set: The classes of the data set.
        teacher: The recipe's teacher, where it has one.

    Returns:
        The model.

    Raises:
        PresetNotFoundError: The preset cannot be found or downloaded.
        ValueError: The teacher's classes differ, and the recipe does not map them.
    """
    # Student and teacher are compared at a quarter of the size; loss and metrics enlarge the logits.
    output_stride = 1 if teacher is None else 4
    fields = {"num_classes": label_set.num_classes, "output_stride": output_stride} | recipe.model
    num_classes = fields["num_classes"]
    if recipe.initial in VARIANTS:
        config = VARIANTS[recipe.initial].replace(**fields)
        model = network(config, label_set=label_set, license=recipe.build_license(), dtype=recipe.dtype)
    else:
        model = load_segmenter(
            network,
            recipe.initial,
            load_weights=not recipe.random_weights,
            label_set=label_set,
            dtype=recipe.dtype,
            **fields,
        )
        model.license = model.license or recipe.build_license()
    if teacher is not None:
        settings = recipe.build_teacher()
        distill(model, teacher, settings.kind, settings.temperature, settings.weight, settings.class_mapping)
    loss = recipe.build_loss()
    model.compile(recipe.build_optimizer(), loss=loss, metrics=default_metrics(num_classes, loss.ignore_class))
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
        # Keras would retrace it for crops of any size, which is slower and gives other bits than a resumed run.
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
    progress = RunProgress(state, recipe.steps_per_epoch, recipe.num_epochs)
    try:
        with warnings.catch_warnings():
            # What is odd in the files was said when they were prepared; pictures padded to one size hold 255 here.
            warnings.filterwarnings("ignore", message=".* masks of the first batches: ")
            model.fit(
                dataset,
                epochs=phase.end_epoch,
                initial_epoch=state.epoch,
                steps_per_epoch=recipe.steps_per_epoch,
                validation_data=devices.evaluation_batches(
                    validation,
                    recipe.validation_batch_size,
                    recipe.validation_size,
                    recipe.evaluation.get("antialias", False),
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
        images = [image for _, image, _ in first_examples(validation)]
        callbacks.append(Pictures(state.folder / "tensorboard" / "pictures", images))
    return callbacks


def _open_folder(recipe: Recipe, settings: RunSettings) -> tuple[RunState, Recipe, Mapping[str, str]]:
    """The state of the run in the output folder, which must be this one's or hold nothing, its recipe and its data."""
    folder = settings.output
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"The output {folder} is a file; name a folder.")
    if not settings.resume:
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(
                f"The folder {folder} is not empty: go on with the run in it with `--resume`, or name another folder."
            )
        return RunState(folder), recipe, {}
    followed, noted = read_config(folder)
    if followed is None and folder.exists() and any(each.name != SPLIT for each in folder.iterdir()):
        raise FileExistsError(
            f"The folder {folder} holds no {CONFIG}, hence no run to go on with, but other files; name another output "
            "folder."
        )
    if followed is not None:
        recipe = recipe.filled_from(followed)
        if not recipe.trains_like(followed):
            raise InvalidRecipeError(
                f"The run in {folder} followed another recipe (see {folder / CONFIG}); resume it with the same recipe "
                "and changes, or name another folder."
            )
    return RunState.read(folder), recipe, noted


def _finish(
    network: type[Network],
    recipe: Recipe,
    settings: RunSettings,
    state: RunState,
    validation: Examples,
    teacher: SegFormerNetwork | None,
) -> Evaluation:
    """Writes tables, pictures and preset of a run that is over, all of the same weights, and returns the scores."""
    output = settings.output
    write_history(output / "history.csv", state.history)
    height, width = recipe.validation_size
    draw_curve(state.history, output / CURVE, f"{recipe.title}; validation at {height}x{width} pixels")
    model = load_segmenter(network, state.best_preset)
    model.license = model.license or recipe.build_license()
    with atomic_folder(output / PRESET, overwrite=True) as temporary:
        save_keras_folder(model, temporary, overwrite=True, weights_dtype=recipe.weights_dtype)
        # Score the weights as they are on disk.
        model.load_weights(temporary / WEIGHTS)
        evaluation = evaluate(model, validation, **recipe.evaluation)
        shutil.copy(output / CURVE, temporary)
        card = model_card(recipe, model, state, evaluation, teacher)
        (temporary / "README.md").write_text(card, encoding="utf-8")
    write_file(output / SCORES, json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False) + "\n")
    with atomic_file(output / FIGURE) as temporary:
        draw_evaluation(evaluation).savefig(temporary, format="png")
    write_examples(output / EXAMPLES, model, validation, recipe.evaluation.get("size", "aligned"))
    return evaluation


def _require_packages() -> None:
    """Checks for missing packages before the data are prepared."""
    for module in ("tensorflow_datasets", "tensorboard", "matplotlib"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(module, "training")


def _make_deterministic() -> None:
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
