"""Recipes: everything that decides about a training run, as data.

The recipes that come with the package are the JSON files in `recipes/`.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from keras_segformer.data.augmentation import Augmentation
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.json_text import read_json
from keras_segformer.licenses import License
from keras_segformer.training.choices import recipe_names
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.schedule import WarmupPolynomial

_NOT_TRAINING = ("title", "command", "expected", "time", "evaluation", "license", "weights_dtype")
"""Fields that only say what is done with the result, or tell people of it."""


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


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A training run as data.

    Args:
        title: One line for people.
        command: The command that follows the recipe.
        expected: What score it should give, and who says so.
        time: Roughly how long it takes, and how that is known.
        dataset: Name of a data set, as `keras_segformer.data.load` knows it.
        initial: Preset or variant to start from.
        random_weights: Whether only the architecture of `initial` is used.
        model: Other fields of `SegFormerConfig` or `MixTransformerConfig` to change.
        augmentation: Arguments of `Augmentation`.
        phases: Later parts of the run with another augmentation, such as larger crops: objects of `from_step`, a
            multiple of `steps_per_epoch`, and `augmentation`, the arguments that change from there on.
        batch_size: Pictures per step on all devices together.
        steps: Optimizer steps of the whole run.
        steps_per_epoch: Steps between validations, checkpoints and rows of the log; divides `steps`.
        schedule: Arguments of `WarmupPolynomial` but for `total_steps`.
        optimizer: Arguments of `GroupedAdamW` but for the learning rate. The options of every Keras optimizer are
            among them: `use_ema`, `ema_momentum`, `global_clipnorm`, `gradient_accumulation_steps`.
        loss: Arguments of `SegmentationLoss`.
        early_stopping: Arguments of `keras.callbacks.EarlyStopping`, which watches `val_mean_iou`; none by default.
        dtype: Dtype policy, such as `"mixed_float16"`; the global one by default.
        train_split: The split to train on.
        validation_split: The split to validate on.
        validation_size: `(height, width)` at which pictures are validated after each epoch; one size, so that the
            network is compiled once.
        validation_batch_size: Pictures at once in validation.
        evaluation: How `keras-segformer evaluate` is to score the result: `mode` and `size`.
        license: The terms that the data set puts on weights trained from it: the arguments of
            `keras_segformer.License`. Weights that start from others keep the terms of those.
        weights_dtype: Dtype of the weights in the preset at the end: `"float32"`, or `"float16"` for half the file.
        seed: Number of the run: of its initial weights, its order of pictures and its augmentation.

    Raises:
        InvalidRecipeError: A value is out of range.
    """

    title: str
    command: str
    expected: str
    time: str
    dataset: str
    initial: str
    augmentation: Mapping[str, Any]
    batch_size: int
    steps: int
    steps_per_epoch: int
    schedule: Mapping[str, Any]
    validation_size: tuple[int, int]
    random_weights: bool = False
    model: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    phases: Sequence[Mapping[str, Any]] = ()
    optimizer: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    loss: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    early_stopping: Mapping[str, Any] | None = None
    dtype: str | None = None
    train_split: str = "train"
    validation_split: str = "val"
    validation_batch_size: int = 8
    evaluation: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"mode": "whole", "size": "aligned"})
    license: Mapping[str, Any] | None = None
    weights_dtype: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "validation_size", tuple(self.validation_size))
        if isinstance(self.phases, str | Mapping) or not isinstance(self.phases, Sequence):
            raise InvalidRecipeError(f"`phases` must be a list of objects; got {self.phases!r}.")
        object.__setattr__(self, "phases", tuple(self.phases))
        for field in ("batch_size", "steps", "steps_per_epoch", "validation_batch_size"):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidRecipeError(f"`{field}` must be a whole number of at least 1; got {value!r}.")
        if self.steps % self.steps_per_epoch:
            raise InvalidRecipeError(
                f"`steps` must be a multiple of `steps_per_epoch`; got {self.steps} and {self.steps_per_epoch}."
            )
        if self.weights_dtype not in ("float32", "float16"):
            raise InvalidRecipeError(f'`weights_dtype` is "float32" or "float16"; got {self.weights_dtype!r}.')
        # Built once to see wrong arguments now rather than after the data was prepared.
        try:
            self.build_phases()
            self.build_optimizer()
            self.build_loss()
            self.build_license()
        except (TypeError, ValueError) as error:
            raise InvalidRecipeError(f"The recipe has a wrong argument: {error}") from error

    @property
    def epochs(self) -> int:
        """Validations in the whole run."""
        return self.steps // self.steps_per_epoch

    def build_augmentation(self) -> Augmentation:
        """The augmentation that the run begins with."""
        return Augmentation(**self.augmentation)

    def build_phases(self) -> tuple[Phase, ...]:
        """The parts of the run in their order, which together are all of its epochs.

        Raises:
            InvalidRecipeError: A phase begins at a step where it cannot.
            ValueError: An argument of an augmentation is out of range.

        Example:

        >>> recipe = load_recipe("b0_ade20k").replace({"steps": 8000, "phases": [{"from_step": 4000}]})
        >>> [(phase.first_epoch, phase.end_epoch) for phase in recipe.build_phases()]
        [(0, 1), (1, 2)]
        """
        augmentation = dict(self.augmentation)
        starts, augmentations = [0], [Augmentation(**augmentation)]
        for phase in self.phases:
            starts.append(self._phase_start(phase, starts[-1]))
            augmentation |= phase.get("augmentation") or {}
            augmentations.append(Augmentation(**augmentation))
        epochs = [start // self.steps_per_epoch for start in (*starts, self.steps)]
        return tuple(map(Phase, epochs[:-1], epochs[1:], augmentations))

    def _phase_start(self, phase: Any, previous: int) -> int:
        """The first step of a phase, checked."""
        if not isinstance(phase, Mapping) or not {"from_step"} <= phase.keys() <= {"from_step", "augmentation"}:
            raise InvalidRecipeError(
                f"An entry of `phases` is an object of `from_step` and `augmentation`; got {phase!r}."
            )
        start = phase["from_step"]
        is_whole = isinstance(start, int) and not isinstance(start, bool)
        if not is_whole or start % self.steps_per_epoch or not previous < start < self.steps:
            raise InvalidRecipeError(
                "`from_step` of `phases` must be multiples of `steps_per_epoch`, each after the one before and below "
                f"`steps`; got {start!r}."
            )
        return start

    def build_optimizer(self) -> GroupedAdamW:
        """A new optimizer with the schedule of the recipe."""
        return GroupedAdamW(WarmupPolynomial(total_steps=self.steps, **self.schedule), **self.optimizer)

    def build_loss(self) -> SegmentationLoss:
        """The loss of the recipe."""
        return SegmentationLoss(**self.loss)

    def build_license(self) -> License | None:
        """The terms of the data set, where the recipe names them."""
        return self.license and License(**self.license)

    def trains_like(self, other: Recipe) -> bool:
        """Whether another recipe makes the same run, whatever it says of it and does with its result.

        Args:
            other: The other recipe.

        Example:

        >>> recipe = load_recipe("b0_camvid")
        >>> recipe.trains_like(recipe.replace({"title": "Mine"})), recipe.trains_like(recipe.replace({"seed": 1}))
        (True, False)
        """
        same = {field: getattr(other, field) for field in _NOT_TRAINING}
        return dataclasses.replace(self, **same).to_dict() == other.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The recipe as `json.dumps` takes it and `from_dict` reads it."""
        return dataclasses.asdict(self) | {
            "validation_size": list(self.validation_size),
            "phases": list(self.phases),
        }

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """Reads a recipe from the content of a JSON file.

        Args:
            data: The arguments of `Recipe` by name.

        Returns:
            The recipe.

        Raises:
            InvalidRecipeError: A key is missing or unknown, or a value is out of range.
        """
        if not isinstance(data, Mapping):
            raise InvalidRecipeError(f"A recipe must be a JSON object; got {type(data).__name__}.")
        fields = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(data.keys() - fields.keys())
        missing = sorted(name for name, field in fields.items() if _is_required(field) and name not in data)
        if unknown or missing:
            raise InvalidRecipeError(
                f"The recipe lacks the keys {missing} and has unknown keys {unknown}; compare it with one of "
                f"{', '.join(recipe_names())}."
            )
        return cls(**data)

    def replace(self, changes: Mapping[str, Any]) -> Recipe:
        """A recipe with other values.

        Args:
            changes: New values by key; `"optimizer.use_ema"` names a key inside of a key.

        Returns:
            The recipe.

        Raises:
            InvalidRecipeError: There is no such key, or a value is out of range.

        Example:

        >>> load_recipe("b0_ade20k").replace({"steps": 4000, "augmentation.flip": 0.0}).augmentation["flip"]
        0.0
        """
        data = self.to_dict()
        for key, value in changes.items():
            outer, _, inner = key.partition(".")
            data[outer] = {**(data.get(outer) or {}), inner: value} if inner else value
        return Recipe.from_dict(data)


def load_recipe(name: str | os.PathLike[str]) -> Recipe:
    """Reads a recipe.

    Args:
        name: One of `recipe_names()`, or the path of a JSON file.

    Returns:
        The recipe.

    Raises:
        InvalidRecipeError: There is no such recipe, or it cannot be read.

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
        values = read_json(path)
    except ValueError as error:
        raise InvalidRecipeError(f"{path} is not a JSON file ({error}); repair it.") from error
    return Recipe.from_dict(values)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
