"""Recipes: everything that decides about a training run, as data.

The recipes that come with the package are the JSON files in `recipes/`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from keras_segformer.data.augmentation import Augmentation
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.json_text import read_json
from keras_segformer.licenses import License
from keras_segformer.models import VARIANTS
from keras_segformer.training import recipe_fields as fields
from keras_segformer.training.choices import recipe_names
from keras_segformer.training.distillation import TeacherSettings
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.recipe_checks import check_combinations
from keras_segformer.training.recipe_errors import describe_errors
from keras_segformer.training.schedule import WarmupPolynomial

_NOT_TRAINING = ("title", "command", "expected", "time", "evaluation", "license", "weights_dtype")
"""Fields that describe a run or say what is done with its result."""

_DESCRIBED = {
    "title": ("dataset", "initial", "random_weights", "model", "augmentation", "phases", "teacher"),
    "license": ("dataset",),
}
"""What the descriptions are about. The others, command, score and time, are about everything that trains."""

FOLLOWING = (
    *("initial", "batch_size", "steps_per_epoch", "validation_split", "validation_size", "validation_batch_size"),
    *("model.input_size", "augmentation.crop_size", "augmentation.base_size"),
    *("schedule.rate", "schedule.warmup_steps", "loss.class_weights"),
)
"""What may follow the data where a recipe leaves it out."""


class Phase(NamedTuple):
    """A part of a run with one augmentation.

    Args:
        first_epoch: Its first epoch, from 0.
        end_epoch: The epoch after its last.
        augmentation: What its pictures pass through.
    """

    first_epoch: int
    end_epoch: int
    augmentation: Augmentation


class Recipe(BaseModel):
    """A training run as data.

    Values that are left out or null follow the data where it says so below; `keras_segformer.training.train` fills
    them in.

    Args:
        dataset: Name of a data set, as `keras_segformer.data.load` knows it.
        title: One line for people.
        command: The command that follows the recipe.
        expected: The score it should give, and where that figure comes from.
        time: Roughly how long it takes, and how that is known.
        initial: Preset or variant to start from. By default `pvt_v2_b0_imagenet`, or `b0_camvid`, which comes with
            the package, where no hub can be reached.
        random_weights: Whether only the architecture of `initial` is used.
        model: Fields of `SegFormerConfig` or `MixTransformerConfig` to change, such as `num_classes`: 1 for a single
            logit. `input_size` follows the data if `crop_size` does.
        augmentation: Arguments of `Augmentation`. Without `crop_size` crops are of the model's `input_size`, and
            `base_size` is chosen so that scale 1 is the scale of evaluation.
        phases: Later parts of the run with another augmentation, such as larger crops: objects of `from_step`, a
            multiple of `steps_per_epoch`, and `augmentation`, the arguments that change from there on.
        batch_size: Pictures per step on all devices together; by default about a megapixel of them.
        epochs: Epochs of the whole run; either these or `steps`.
        steps: Optimizer steps of the whole run; either these or `epochs`.
        steps_per_epoch: Steps between validations, checkpoints and rows of the log; divides `steps`. By default as
            many as there are batches in the training split.
        schedule: Arguments of `WarmupPolynomial` but for `total_steps`. By default `rate` follows the preset, and
            `warmup_steps` is a tenth of the run, at most the paper's 1,500.
        optimizer: Arguments of `GroupedAdamW` but for the learning rate. The options of every Keras optimizer are
            among them: `use_ema`, `ema_momentum`, `global_clipnorm`, `gradient_accumulation_steps`.
        loss: Arguments of `SegmentationLoss`. `class_weights` of `"auto"` are computed from the training split.
        teacher: A model to learn from besides the masks: `preset`, and the other arguments of
            `keras_segformer.training.distill` but for the student; none by default.
        early_stopping: Arguments of `keras.callbacks.EarlyStopping`, which watches `val_mean_iou`; none by default.
        dtype: Dtype policy, such as `"mixed_float16"`; the global one by default.
        train_split: The split to train on.
        validation_split: The split to validate on. Null is `val`, or, where the data have no such split, a fifth of the
            training split, drawn by the seed.
        validation_size: `(height, width)` at which pictures are validated after each epoch; one size, so that the
            network is compiled once. By default what `evaluate` takes for most of them.
        validation_batch_size: Pictures at once in validation; null follows their size.
        evaluation: How `keras-segformer evaluate` is to score the result: `mode`, `size` and `flip`.
        license: The terms that the data set puts on weights trained from it: the arguments of
            `keras_segformer.License`. Weights that start from others keep the terms of those.
        weights_dtype: Dtype of the weights in the preset at the end: `"float32"`, or `"float16"` for half the file.
        seed: Number of the run: of its initial weights, its order of pictures and its augmentation.

    Raises:
        InvalidRecipeError: A value is wrong; the message names the field, the value and what it may be.

    Example:

    >>> Recipe(dataset="folder", epochs=30).epochs
    30
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: fields.OptionalText = None
    command: fields.OptionalText = None
    expected: fields.OptionalText = None
    time: fields.OptionalText = None
    dataset: fields.DatasetName
    initial: fields.OptionalText = None
    random_weights: fields.Flag = False
    model: fields.ModelFields = {}
    augmentation: fields.AugmentationFields = {}
    phases: tuple[fields.PhaseFields, ...] = ()
    batch_size: fields.OptionalCount = None
    epochs: fields.OptionalCount = None
    steps: fields.OptionalCount = None
    steps_per_epoch: fields.OptionalCount = None
    schedule: fields.ScheduleFields = {}
    optimizer: fields.OptimizerFields = {}
    loss: fields.LossFields = {}
    teacher: fields.OptionalTeacher = None
    early_stopping: fields.OptionalEarlyStopping = None
    dtype: fields.Dtype = None
    train_split: fields.Split = "train"
    validation_split: fields.OptionalSplit = "val"
    validation_size: fields.OptionalSize = None
    validation_batch_size: fields.OptionalCount = 8
    evaluation: fields.EvaluationFields = {"mode": "whole", "size": "aligned"}
    license: fields.OptionalLicense = None
    weights_dtype: fields.WeightsDtype = "float32"
    seed: fields.NaturalNumber = 0

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidRecipeError(describe_errors(error, Recipe)) from None
        check_combinations(self)

    @property
    def total_steps(self) -> int | None:
        """Optimizer steps of the whole run; `None` where the data decide."""
        if self.steps is not None:
            return self.steps
        return self.epochs and self.steps_per_epoch and self.epochs * self.steps_per_epoch

    @property
    def num_epochs(self) -> int | None:
        """Validations in the whole run; `None` where the data decide."""
        if self.epochs is not None:
            return self.epochs
        return self.steps and self.steps_per_epoch and self.steps // self.steps_per_epoch

    @property
    def has_random_weights(self) -> bool:
        """Whether the run starts from no trained weights at all."""
        return self.random_weights or self.initial in VARIANTS

    def build_augmentation(self) -> Augmentation:
        """The augmentation that the run begins with.

        Raises:
            InvalidRecipeError: The size of its crops follows the data.
        """
        if not self.augmentation.get("crop_size"):
            raise InvalidRecipeError("`augmentation.crop_size` follows the data in this recipe; give a size.")
        return Augmentation(**self.augmentation)

    def build_phases(self) -> tuple[Phase, ...]:
        """The parts of the run in their order, which together are all of its epochs.

        Example:

        >>> recipe = load_recipe("b0_ade20k").replace({"steps": 8000, "phases": [{"from_step": 4000}]})
        >>> [(phase.first_epoch, phase.end_epoch) for phase in recipe.build_phases()]
        [(0, 1), (1, 2)]
        """
        arguments = dict(self.augmentation)
        augmentations = [Augmentation(**arguments)]
        for phase in self.phases:
            arguments |= phase.get("augmentation") or {}
            augmentations.append(Augmentation(**arguments))
        starts = [0, *(phase["from_step"] for phase in self.phases), self.total_steps]
        epochs = [start // self.steps_per_epoch for start in starts]
        return tuple(map(Phase, epochs[:-1], epochs[1:], augmentations))

    def build_optimizer(self) -> GroupedAdamW:
        """A new optimizer with the schedule of the recipe."""
        return GroupedAdamW(WarmupPolynomial(total_steps=self.total_steps, **self.schedule), **self.optimizer)

    def build_loss(self) -> SegmentationLoss:
        """The loss of the recipe."""
        return SegmentationLoss(**self.loss)

    def build_teacher(self) -> TeacherSettings | None:
        """The teacher of the recipe, where it has one."""
        return None if self.teacher is None else TeacherSettings(**self.teacher)

    def build_license(self) -> License | None:
        """The terms of the data set, where the recipe names them."""
        return self.license and License(**self.license)

    def trains_like(self, other: Recipe) -> bool:
        """Whether another recipe makes the same run, however it is described and whatever is done with its result.

        Args:
            other: The other recipe.

        Example:

        >>> recipe = load_recipe("b0_camvid")
        >>> recipe.trains_like(recipe.replace({"title": "Mine"})), recipe.trains_like(recipe.replace({"seed": 1}))
        (True, False)
        """
        own, others = self.to_dict(), other.to_dict()
        return all(own[name] == others[name] for name in own.keys() - set(_NOT_TRAINING))

    def to_dict(self) -> dict[str, Any]:
        """Returns the recipe as `json.dumps` takes it and `from_dict` reads it."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Reads a recipe from the content of a JSON file.

        Args:
            data: The arguments of `Recipe` by name.

        Returns:
            The recipe.

        Raises:
            InvalidRecipeError: A key is missing or unknown, or a value is wrong.
        """
        if not isinstance(data, Mapping):
            raise InvalidRecipeError(f"A recipe must be a JSON object; got {type(data).__name__}.")
        return cls(**data)

    def replace(self, changes: Mapping[str, Any]) -> Recipe:
        """A recipe with other values.

        Title, command, expected score, time and licence are left out of it where the changes touch what they describe,
        unless they are among the changes. `epochs` takes the place of `steps`, and the reverse.

        Args:
            changes: New values by key; `"optimizer.use_ema"` names a key inside of a key.

        Returns:
            The recipe.

        Raises:
            InvalidRecipeError: There is no such key, or a value is wrong.

        Example:

        >>> recipe = load_recipe("b0_ade20k").replace({"epochs": 10, "augmentation.flip": 0.0})
        >>> recipe.total_steps, recipe.augmentation["flip"], recipe.expected
        (40000, 0.0, None)
        """
        before = self.to_dict()
        data = dict(before)
        for key, value in changes.items():
            outer, _, inner = key.partition(".")
            section = data.get(outer) or {}
            if inner and not isinstance(section, Mapping):
                raise InvalidRecipeError(f"There is no `{key}`: `{outer}` is {section!r}; change `{outer}` as a whole.")
            data[outer] = {**section, inner: value} if inner else value
        if changes.get("epochs") is not None and "steps" not in changes:
            data["steps"] = None
        if changes.get("steps") is not None and "epochs" not in changes:
            data["epochs"] = None
        for name in _outdated(before, data):
            if name not in changes:
                data[name] = None
        return Recipe.from_dict(data)

    def filled_from(self, other: Recipe) -> Recipe:
        """This recipe with the values of another one where it leaves them to the data.

        Args:
            other: The same recipe, completed for some data.

        Returns:
            The recipe.
        """
        own, others = self.to_dict(), other.to_dict()
        found = {name: _value(others, name) for name in FOLLOWING if _value(own, name) in (None, "auto")}
        if self.validation_split is None:
            found["train_split"] = other.train_split
        return self.replace({name: value for name, value in found.items() if value is not None})


def load_recipe(name: str | os.PathLike[str]) -> Recipe:
    """Reads a recipe.

    Args:
        name: One of `recipe_names()`, or the path of a JSON file.

    Returns:
        The recipe.

    Raises:
        InvalidRecipeError: There is no such recipe, it cannot be read, or a value is wrong.

    Example:

    >>> load_recipe("b0_ade20k").steps
    160000
    """
    if str(name) in recipe_names():
        return Recipe.from_dict(read_json(resources.files(__package__) / "recipes" / f"{name}.json"))
    path = Path(name)
    if not path.is_file():
        close = difflib.get_close_matches(str(name), recipe_names(), n=3, cutoff=0) or recipe_names()
        raise InvalidRecipeError(
            f"There is no recipe {str(name)!r}; write the path of a JSON file or a name such as {', '.join(close)}."
        )
    try:
        content = read_json(path)
    except ValueError as error:
        raise InvalidRecipeError(f"'{path}' is not a JSON file ({error}); repair it.") from error
    return Recipe.from_dict(content)


def _outdated(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The descriptions that say something of what has changed."""
    changed = {name for name in after if after[name] != before.get(name)}
    outdated = {name for name, subjects in _DESCRIBED.items() if changed.intersection(subjects)}
    if changed.difference(_NOT_TRAINING):
        outdated |= {"command", "expected", "time"}
    return outdated | ({"expected"} if "evaluation" in changed else set())


def _value(data: Mapping[str, Any], name: str) -> Any:
    """What stands at a key, or at a key inside of a key."""
    outer, _, inner = name.partition(".")
    return (data[outer] or {}).get(inner) if inner else data[outer]
