"""The options of a conversion, checked before any work starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from keras_segformer.models.segformer import MIN_IMAGE_SIZE

from .choices import AnyPrecision, ClientName, InputKind, OutputKind, Runtime
from .clients import check_client
from .quantize import PLANS, QuantizationRecipe

_WITH_FLOAT = ("float32", "float16", "dynamic", "int8")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConversionOptions:
    """What `convert` was asked for; the arguments are described there.

    Args:
        path: The `.tflite` file to write.
        precision: How weights are stored and arithmetic is done.
        input_size: `(height, width)` of the input in pixels.
        batch_size: Number of images in the input.
        resizable: Whether the runtime may change the size.
        input: Data type of the input.
        output: What the file outputs.
        calibration: Calibration images, if there are any.
        report: Whether to write the report.
        tiles: Whether to compute large tensors in row tiles.
        save_memory: Whether the tiles are those of the least memory.
        recipe: The quantisation recipe to apply, if it is known.
        runtime: The runtime that the file is for.
        target: The least mean agreement of a recipe that is searched for, if it is not the default.
        fine_tune_steps: Number of fine-tuning steps.
        client: What will read the file, if it is known.
        measure_times: Whether a search measures the times of layers on this machine.
        half: Whether CPUs with float16 arithmetic may compute in it.

    Raises:
        ValueError: A value is out of range, or options contradict each other.
    """

    path: Path
    precision: AnyPrecision = "float32"
    input_size: tuple[int, int] = (512, 512)
    batch_size: int = 1
    resizable: bool = False
    input: InputKind = "uint8"
    output: OutputKind = "labels"
    calibration: Iterable[Any] | None = None
    report: bool = True
    tiles: bool = True
    save_memory: bool = False
    recipe: QuantizationRecipe | None = None
    runtime: Runtime = "litert"
    target: float | None = None
    fine_tune_steps: int = 0
    client: ClientName | None = None
    measure_times: bool = False
    half: bool = False

    def __post_init__(self) -> None:
        if self.path.suffix != ".tflite":
            raise ValueError(f"The file to write is '{self.path}'; give it a name that ends in .tflite.")
        for each in (self.path, self.path.with_suffix(".json"), self.path.with_suffix(".html")):
            if each.is_dir():  # found here rather than after a search of minutes
                raise ValueError(f"'{each}' is a folder, where a file is to be written; choose another name.")
        check_choice("precision", self.precision, get_args(AnyPrecision))
        check_choice("input", self.input, get_args(InputKind))
        check_choice("output", self.output, get_args(OutputKind))
        check_choice("runtime", self.runtime, get_args(Runtime))
        check_client(self.client, self.output, self.batch_size, self.precision)
        self._check_runtime()
        _check_size(self.input_size)
        _check_batch(self.batch_size)
        _check_steps(self.fine_tune_steps)
        self._check_tiles()
        self._check_resizable()
        self._check_precision()
        self._check_microcontroller()
        self._check_target()
        self._check_measuring()
        self._check_half()
        self._check_calibration()

    @property
    def is_quantized(self) -> bool:
        """Whether the precision is an integer precision."""
        return self.precision in PLANS

    @property
    def is_for_microcontrollers(self) -> bool:
        """Whether the file is quantised as a whole, inputs and outputs included."""
        return self.precision == "int8_mcu"

    @property
    def may_be_static(self) -> bool:
        """Whether ranges of tensors may be fixed in the file."""
        return self.is_quantized and PLANS[self.precision].may_be_static(self.runtime, self.recipe)

    @property
    def may_round_attention(self) -> bool:
        """Whether the weights of attention may have 8 bits."""
        return self.is_quantized and PLANS[self.precision].may_round_attention(self.runtime, self.recipe)

    def _check_tiles(self) -> None:
        if self.save_memory and (self.resizable or not self.tiles):
            raise ValueError(
                "Memory is saved by row tiles, which a resizable file and one without tiles do not have; leave out "
                "`save_memory` (--memory) or the other."
            )

    def _check_resizable(self) -> None:
        if self.resizable and (self.is_quantized or self.is_for_microcontrollers):
            raise ValueError(
                f"The precision {self.precision} is chosen for one size; choose float32 or float16 for a resizable "
                "file."
            )
        if self.resizable and self.client:
            raise ValueError(
                f"The client {self.client!r} is not known to resize files; convert one for every size that it needs."
            )

    def _check_precision(self) -> None:
        if self.is_quantized:
            return
        for name, value in (("recipe", self.recipe), ("fine_tune_steps", self.fine_tune_steps)):
            if value:
                what = "is quantised as a whole" if self.is_for_microcontrollers else "is not quantised"
                raise ValueError(
                    f"The precision {self.precision} {what}, so '{name}' has no effect; leave it out or "
                    f"choose one of {', '.join(PLANS)}."
                )

    def _check_runtime(self) -> None:
        if self.runtime == "ethos-u" and not self.is_for_microcontrollers:
            raise ValueError(
                f"The runtime ethos-u takes files of the precision int8_mcu, not of {self.precision}; choose that "
                "precision, or another runtime."
            )

    def _check_microcontroller(self) -> None:
        if not self.is_for_microcontrollers:
            return
        if self.input != "uint8":
            raise ValueError(f"The precision int8_mcu takes bytes, not {self.input}; leave the input out.")
        if self.output not in ("labels", "logits"):
            raise ValueError(
                f"The precision int8_mcu gives labels or logits at a quarter of the size, not {self.output}; choose "
                "one of these outputs."
            )
        if self.batch_size != 1:
            raise ValueError(
                f"Microcontrollers take one image at a time, not {self.batch_size}; leave out the batch size."
            )

    def _check_target(self) -> None:
        if self.target is None:
            return
        if isinstance(self.target, bool) or not isinstance(self.target, int | float) or not 0 < self.target <= 1:
            raise ValueError(f"The target is {self.target!r}; it is an agreement greater than 0 and at most 1.")
        if self.recipe is not None or not self.is_quantized or not PLANS[self.precision].is_searched:
            searched = ", ".join(name for name, plan in PLANS.items() if plan.is_searched)
            raise ValueError(
                f"A target has an effect only if a recipe is searched for, which the precisions {searched} do without "
                "a given recipe; leave it out."
            )

    def _check_measuring(self) -> None:
        if self.measure_times and (self.precision != "int8" or self.recipe is not None):
            raise ValueError(
                "Times are measured in the search for a recipe, for the precision int8 without a given one; leave out "
                "`measure_times` (--measure), or choose that precision."
            )

    def _check_half(self) -> None:
        if self.half and self.precision not in _WITH_FLOAT:
            raise ValueError(
                f"The precision {self.precision} is for integers, and `half` (--half) for float operations of CPUs; "
                f"leave it out, or choose one of {', '.join(_WITH_FLOAT)}."
            )

    def _check_calibration(self) -> None:
        if self.calibration is not None:
            return
        if self.fine_tune_steps:
            reason = "Fine-tuning needs"
        elif self.half:
            raise ValueError(
                "Whether a network bears float16 is tried on images; pass some dozen as calibration, or leave out "
                "`half` (--half)."
            )
        elif self.recipe is not None and self.recipe.needs_calibration:
            reason = "The recipe needs"
        elif self.is_for_microcontrollers or (
            self.recipe is None and self.is_quantized and PLANS[self.precision].needs_calibration
        ):
            reason = f"The precision {self.precision} needs"
        else:
            return
        # No other precision is for microcontrollers.
        others = "" if self.is_for_microcontrollers else ", or choose the precision dynamic, which needs none"
        raise ValueError(
            f"{reason} calibration images; pass some dozen that are similar to what the model will see{others}."
        )


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a value that is not among the known ones.

    Args:
        name: What is chosen.
        value: The choice.
        known: The allowed ones.

    Raises:
        ValueError: The choice is not among them.
    """
    if value not in known:
        raise ValueError(f"There is no {name} {value!r}; choose one of {', '.join(known)}.")


def _check_size(size: tuple[int, int]) -> None:
    is_pair = isinstance(size, tuple | list) and len(size) == 2
    if not is_pair or not all(_is_integer(side) and side >= MIN_IMAGE_SIZE for side in size):
        raise ValueError(
            f"The input size is (height, width) in pixels, each at least {MIN_IMAGE_SIZE}; got {size!r}, so choose "
            "another, such as (512, 512)."
        )


def _check_batch(batch_size: int) -> None:
    if not _is_integer(batch_size) or batch_size < 1:
        raise ValueError(f"The batch size is {batch_size!r}; it must be a whole number of images, at least 1.")


def _check_steps(steps: int) -> None:
    if not _is_integer(steps) or steps < 0:
        raise ValueError(f"The number of fine-tuning steps is {steps!r}; it must be a whole number, 0 for none.")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
