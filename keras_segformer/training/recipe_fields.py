"""The schema of a recipe: what each field may hold, declared once.

A section of a recipe is the dictionary of keyword arguments for one class. What is left out has the default of that
class, or follows the data where the docstring of `Recipe` says so.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, ConfigDict, Field, WrapValidator, with_config
from pydantic_core import PydanticCustomError, ValidationError

# Python's own is not enough for pydantic before Python 3.12.
from typing_extensions import TypedDict

from keras_segformer.data.sources import NAMES
from keras_segformer.evaluation.choices import MODES
from keras_segformer.keywords import UnknownKeywordError
from keras_segformer.models import VARIANTS
from keras_segformer.training.choices import DISTILLATION_KINDS

DTYPES = ("float32", "float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
MONITORS = ("val_mean_iou", "val_pixel_accuracy", "val_loss", "mean_iou", "pixel_accuracy", "loss")

_SPLIT = r"(train|val|test)(\[(-?\d+%?)?:(-?\d+%?)?\])?"
_STRICT = ConfigDict(extra="forbid")


def expected(description: str) -> WrapValidator:
    """Replaces pydantic's message, which may consist of several, by one.

    Args:
        description: What the field may hold, as the end of "`field` must be".

    Returns:
        The outermost annotation of a type.
    """

    def validate(value: Any, check: Callable[[Any], Any]) -> Any:
        try:
            return check(value)
        except ValidationError:
            raise PydanticCustomError("wrong_value", "must be {expected}", {"expected": description}) from None

    return WrapValidator(validate)


def one_of(*choices: str) -> AfterValidator:
    """Refuses a text that is not one of several, and names the nearest.

    Args:
        *choices: The texts.

    Returns:
        An annotation of `str` or `str | None`.
    """

    def validate(value: str | None) -> str | None:
        if value is not None and value not in choices:
            [nearest] = difflib.get_close_matches(value, choices, n=1, cutoff=0)
            raise PydanticCustomError(
                "wrong_value",
                "must be {expected}",
                {"expected": f'one of {", ".join(choices)} (did you mean "{nearest}"?)'},
            )
        return value

    return AfterValidator(validate)


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise PydanticCustomError(
            "wrong_value", "must be {expected}", {"expected": f"a regular expression ({error})"}
        ) from None
    return value


def _model_fields(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leaves the check to the configurations of the model, which name field, value and remedy themselves."""
    try:
        VARIANTS["b0"].replace(**value)
    except (UnknownKeywordError, ValueError, TypeError) as error:
        raise PydanticCustomError("wrong_section", "{reason}", {"reason": str(error)}) from None
    return value


_Text = Annotated[str, Field(strict=True, min_length=1)]
_Whole = Annotated[int, Field(strict=True, ge=1)]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Share = Annotated[_Number, Field(ge=0, le=1)]
_Side = Annotated[int, Field(strict=True, ge=32)]
_Sides = tuple[_Side, _Side]

Text = Annotated[_Text, expected("a text that is not empty")]
OptionalText = Annotated[_Text | None, expected("a text that is not empty, or null")]
Flag = Annotated[bool, Field(strict=True), expected("true or false")]
Count = Annotated[_Whole, expected("a whole number of at least 1")]
OptionalCount = Annotated[_Whole | None, expected("a whole number of at least 1, or null")]
NaturalNumber = Annotated[int, Field(strict=True, ge=0, lt=2**31), expected("a whole number from 0 to 2147483647")]
Positive = Annotated[_Number, Field(gt=0), expected("a number above 0")]
OptionalPositive = Annotated[Annotated[_Number, Field(gt=0)] | None, expected("a number above 0, or null")]
NotNegative = Annotated[_Number, Field(ge=0), expected("a number of at least 0")]
Share = Annotated[_Share, expected("a number from 0 to 1")]
Decay = Annotated[_Number, Field(ge=0, lt=1), expected("a number of at least 0 and below 1")]
PositiveShare = Annotated[_Number, Field(gt=0, le=1), expected("a number above 0 and at most 1")]
OptionalSize = Annotated[
    _Sides | None, expected("a height and a width in pixels, each a whole number of at least 32, or null: [512, 512]")
]
Split = Annotated[
    str,
    Field(strict=True, pattern=rf"^{_SPLIT}(\+{_SPLIT})*$"),
    expected('train, val or test, or a part of it such as "train[:90%]"'),
]
OptionalSplit = Annotated[
    Split | None, expected('train, val or test, a part of it such as "train[90%:]", or null to make a split if needed')
]
DatasetName = Annotated[Text, one_of(*NAMES)]
Dtype = Annotated[OptionalText, one_of(*DTYPES)]
WeightsDtype = Annotated[Text, one_of("float32", "float16")]
ModelFields = Annotated[dict[str, Any], expected("an object of model fields"), AfterValidator(_model_fields)]


@with_config(_STRICT)
class AugmentationFields(TypedDict, total=False):
    """The arguments of `Augmentation`."""

    crop_size: OptionalSize
    scale: Annotated[
        tuple[Annotated[_Number, Field(gt=0)], Annotated[_Number, Field(gt=0)]],
        expected("two factors above 0, the smaller one first: [0.5, 2.0]"),
    ]
    base_size: Annotated[
        tuple[_Whole, _Whole] | None, expected("the long and the short side in pixels, or null: [2048, 512]")
    ]
    stretch: Flag
    antialias: Flag
    cat_max_ratio: PositiveShare
    flip: Share
    photometric: Flag
    class_balance: Share
    class_frequencies: Annotated[
        list[Annotated[_Number, Field(ge=0)]] | None, expected("a number of at least 0 for every class, or null")
    ]
    paste: Share
    paste_classes: Annotated[
        list[Annotated[int, Field(strict=True, ge=0)]] | None, expected("indices of classes, or null: [2, 6]")
    ]


@with_config(_STRICT)
class PhaseFields(TypedDict, total=False):
    """A later part of a run."""

    from_step: Required[Count]
    augmentation: AugmentationFields


@with_config(_STRICT)
class ScheduleFields(TypedDict, total=False):
    """The arguments of `WarmupPolynomial` but for the steps, which the recipe has."""

    rate: Positive
    warmup_steps: Annotated[int, Field(strict=True, ge=0), expected("a whole number of at least 0")]
    power: NotNegative
    warmup_ratio: Share
    decay_steps: OptionalCount


@with_config(_STRICT)
class GroupFields(TypedDict):
    """A parameter group of `GroupedAdamW`."""

    pattern: Annotated[Text, AfterValidator(_pattern)]
    rate: NotNegative
    decay: NotNegative


@with_config(_STRICT)
class OptimizerFields(TypedDict, total=False):
    """The arguments of `GroupedAdamW` but for the learning rate; those without a default there are Keras'."""

    weight_decay: NotNegative
    beta_1: Decay
    beta_2: Decay
    epsilon: Positive
    groups: list[GroupFields]
    clipnorm: OptionalPositive
    clipvalue: OptionalPositive
    global_clipnorm: OptionalPositive
    use_ema: Flag
    ema_momentum: Share
    ema_overwrite_frequency: OptionalCount
    loss_scale_factor: OptionalPositive
    gradient_accumulation_steps: Annotated[
        Annotated[int, Field(strict=True, ge=2)] | None, expected("a whole number of at least 2, or null")
    ]


@with_config(_STRICT)
class LossFields(TypedDict, total=False):
    """The arguments of `SegmentationLoss`."""

    ignore_class: Annotated[int, Field(strict=True, ge=0, le=255), expected("a whole number from 0 to 255")]
    class_weights: Annotated[
        list[Annotated[_Number, Field(ge=0)]] | Literal["auto"] | None,
        expected('a number of at least 0 for every class, "auto" to compute them from the data, or null'),
    ]
    hard_example_threshold: Annotated[
        Annotated[_Number, Field(gt=0, le=1)] | None, expected("a probability above 0, or null")
    ]
    min_kept: PositiveShare
    dice_weight: NotNegative


@with_config(_STRICT)
class TeacherFields(TypedDict, total=False):
    """The arguments of `keras_segformer.training.distill` but for the student."""

    preset: Text
    kind: Annotated[Text, one_of(*DISTILLATION_KINDS)]
    temperature: OptionalPositive
    weight: Positive
    class_mapping: Annotated[
        Annotated[list[Annotated[int, Field(strict=True)]], Field(min_length=1)] | _Text | None,
        expected("a class index for every class of the teacher, the name or file of a class mapping, or null"),
    ]


@with_config(_STRICT)
class EarlyStoppingFields(TypedDict, total=False):
    """The arguments of `keras.callbacks.EarlyStopping`."""

    monitor: Annotated[Text, one_of(*MONITORS)]
    mode: Annotated[Text, one_of("min", "max")]
    min_delta: NotNegative
    patience: NaturalNumber
    baseline: Annotated[_Number | None, expected("a number, or null")]
    start_from_epoch: NaturalNumber


@with_config(_STRICT)
class EvaluationFields(TypedDict, total=False):
    """The arguments of `keras_segformer.evaluation.evaluate`."""

    mode: Annotated[Text, one_of(*MODES)]
    size: Annotated[
        _Sides | Literal["aligned", "square", "native"],
        expected("aligned, square, native, or a height and a width in pixels of at least 32 each: [512, 512]"),
    ]
    flip: Flag
    antialias: Flag


@with_config(_STRICT)
class LicenseFields(TypedDict):
    """The arguments of `License`."""

    name: Text
    url: Text
    non_commercial: Flag


OptionalEarlyStopping = EarlyStoppingFields | None
OptionalTeacher = TeacherFields | None
OptionalLicense = LicenseFields | None
