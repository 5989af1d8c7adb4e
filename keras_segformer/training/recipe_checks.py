"""Values of a recipe that do not go together, though each of them alone may stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_segformer.errors import InvalidRecipeError
from keras_segformer.mask_rules import IGNORE

if TYPE_CHECKING:
    from keras_segformer.training.recipe import Recipe

_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
_NEEDED = {
    "optimizer": (("ema_momentum", "use_ema"), ("ema_overwrite_frequency", "use_ema")),
    "loss": (("min_kept", "hard_example_threshold"),),
    "augmentation": (("class_balance", "class_frequencies"), ("paste", "paste_classes")),
}
"""In a section, a value that has no meaning without another."""


def check_combinations(recipe: Recipe) -> None:
    """Refuses values that contradict each other, or of which one would have no effect.

    Args:
        recipe: A recipe each of whose values is valid.

    Raises:
        InvalidRecipeError: Some do; the message names them and a remedy.
    """
    _check_length(recipe)
    _check_sections(recipe)
    phases = [{**recipe.augmentation, **phase.get("augmentation", {})} for phase in ({}, *recipe.phases)]
    for augmentation in phases:
        _check_augmentation(augmentation)
    _check_classes_are_used(phases)
    if recipe.total_steps is not None and recipe.steps_per_epoch is not None:
        _check_steps(recipe)
        _check_phases(recipe)


def _check_length(recipe: Recipe) -> None:
    if (recipe.epochs is None) == (recipe.steps is None):
        raise InvalidRecipeError(
            f"A recipe needs either `epochs` or `steps`; got {recipe.epochs} and {recipe.steps}: give one of them."
        )
    if recipe.steps is not None and recipe.steps_per_epoch is None:
        raise InvalidRecipeError(
            f"`steps` of {recipe.steps} need `steps_per_epoch`, the steps between validations; give it, or `epochs` "
            "instead of `steps`."
        )
    if recipe.phases and recipe.steps_per_epoch is None:
        raise InvalidRecipeError(
            f"`phases` of {list(recipe.phases)} begin at multiples of `steps_per_epoch`, which is open here; give it."
        )


def _check_sections(recipe: Recipe) -> None:
    for section in ("optimizer", "loss"):
        _check_needed(section, getattr(recipe, section))
    clipping = {name: recipe.optimizer[name] for name in _CLIPPING if recipe.optimizer.get(name)}
    if len(clipping) > 1:
        listed = " and ".join(f"`optimizer.{name}` of {value!r}" for name, value in clipping.items())
        raise InvalidRecipeError(f"{listed} exclude each other; keep one of them.")
    if recipe.random_weights and recipe.initial is None:
        raise InvalidRecipeError('`random_weights` of True needs `initial`, the architecture; give one, such as "b0".')
    if recipe.teacher is not None and "preset" not in recipe.teacher:
        raise InvalidRecipeError(
            f"`teacher` of {dict(recipe.teacher)} needs `teacher.preset` (--teacher), the model that teaches; give it, "
            "or null for no teacher."
        )
    _check_loss(recipe.loss)
    _check_dtype(recipe.dtype)
    monitor, mode = ((recipe.early_stopping or {}).get(name) for name in ("monitor", "mode"))
    if monitor and mode and (mode == "min") != monitor.endswith("loss"):
        raise InvalidRecipeError(
            f"`early_stopping.mode` of {mode!r} would stop while `{monitor}` is getting better; leave it out."
        )


def _check_dtype(dtype: str | None) -> None:
    if dtype == "float16":
        raise InvalidRecipeError(
            "`dtype` of 'float16' cannot be trained, since the squares of gradients in the optimizer become 0; take "
            "mixed_float16, whose weights are float32."
        )


def _check_loss(values: dict[str, Any]) -> None:
    ignored = values.get("ignore_class", IGNORE)
    if ignored != IGNORE:
        raise InvalidRecipeError(
            f"`loss.ignore_class` of {ignored} cannot be, since prepared masks and the borders of crops have {IGNORE} "
            f"there; leave it out, and map {ignored} to {IGNORE} by `raw_to_train` in classes.json."
        )
    weights = values.get("class_weights")
    if isinstance(weights, list) and not any(weights) and not values.get("dice_weight"):
        raise InvalidRecipeError(
            f"`loss.class_weights` must not all be zero; got {weights}: give the classes to learn one above 0."
        )


def _check_needed(section: str, values: Mapping[str, Any]) -> None:
    for name, needed in _NEEDED[section]:
        if values.get(name) and not values.get(needed):
            raise InvalidRecipeError(
                f"`{section}.{name}` of {values[name]!r} has no effect without `{section}.{needed}`; add it, or leave "
                "both out."
            )


def _check_augmentation(values: dict[str, Any]) -> None:
    _check_needed("augmentation", values)
    low, high = values.get("scale", (1.0, 1.0))
    if low > high:
        raise InvalidRecipeError(f"`augmentation.scale` must have the smaller factor first; got {[low, high]}.")
    long, short = values.get("base_size") or (1, 1)
    if long < short:
        raise InvalidRecipeError(f"`augmentation.base_size` must have the long side first; got {[long, short]}.")
    frequencies = values.get("class_frequencies")
    if frequencies is not None and not any(frequencies):
        raise InvalidRecipeError(
            f"`augmentation.class_frequencies` must not all be zero; got {frequencies}: give the share of each class."
        )


def _check_classes_are_used(phases: Sequence[Mapping[str, Any]]) -> None:
    """A phase may give what another one needs, but not for nothing."""
    for probability, classes in _NEEDED["augmentation"]:
        if any(each.get(classes) for each in phases) and not any(each.get(probability) for each in phases):
            raise InvalidRecipeError(
                f"`augmentation.{classes}` has no effect without `augmentation.{probability}`, a probability; give "
                "both, or leave both out."
            )


def _check_steps(recipe: Recipe) -> None:
    total, per_epoch = recipe.total_steps, recipe.steps_per_epoch
    if total % per_epoch:
        raise InvalidRecipeError(
            f"`steps` must be a multiple of `steps_per_epoch`; got {total} and {per_epoch}: take "
            f"{max(1, total // per_epoch) * per_epoch} steps, or give `epochs`."
        )
    accumulated = recipe.optimizer.get("gradient_accumulation_steps")
    if accumulated is not None and accumulated > total:
        raise InvalidRecipeError(
            f"`optimizer.gradient_accumulation_steps` of {accumulated} is more than the {total} steps of the run, so "
            "that no weight would change; lower it, or train longer."
        )
    for name in ("warmup_steps", "decay_steps"):
        value = recipe.schedule.get(name)
        if value is not None and value > total:
            raise InvalidRecipeError(
                f"`schedule.{name}` of {value} is longer than the run of {total} steps; lower it, or train longer."
            )


def _check_phases(recipe: Recipe) -> None:
    previous = 0
    for index, phase in enumerate(recipe.phases):
        start = phase["from_step"]
        if start % recipe.steps_per_epoch or not previous < start < recipe.total_steps:
            raise InvalidRecipeError(
                f"`phases[{index}].from_step` must be a multiple of {recipe.steps_per_epoch}, `steps_per_epoch`, after "
                f"the previous phase and below the {recipe.total_steps} steps of the run; got {start}."
            )
        previous = start
