"""How each layer of a file is quantised, in a form that can be saved, read and applied again."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from keras_segformer.files import atomic_file
from keras_segformer.json_text import read_json

QuantizationMode = Literal["float", "dynamic", "static"]
"""How a layer is computed.

`float`: weights and activations are float32. `dynamic`: the weights are integers, the inputs are quantised at run time,
and the outputs are float. `static`: inputs, weights and outputs are integers, with ranges fixed by calibration.
"""

Rounding = Literal["least_output_error", "nearest"]
"""How weights are rounded to integers: so that the outputs of their layer change least, or each to the nearest."""

_WEIGHT_BITS = (4, 8)
_ACTIVATION_BITS = (8, 16)


@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantizationRecipe:
    """How a file is quantised.

    Args:
        layers: The quantisation mode of each layer, by its name.
        operators: Further operations that are quantised, by their names in the schema of TF Lite. They have no weights,
            so their mode is always `"static"`.
        bits: Number of bits of the weights, 4 or 8.
        activation_bits: Number of bits of static inputs and outputs, 8 or 16.
        per_channel: Whether each output channel has its own scale.
        rounding: `"least_output_error"`, which needs calibration images, or `"nearest"`.

    Raises:
        ValueError: A value is not one of those allowed.
    """

    layers: Mapping[str, QuantizationMode]
    operators: Mapping[str, QuantizationMode] = dataclasses.field(default_factory=dict)
    bits: int = 8
    activation_bits: int = 8
    per_channel: bool = True
    rounding: Rounding = "least_output_error"

    def __post_init__(self) -> None:
        for name in ("layers", "operators"):
            if not isinstance(getattr(self, name), Mapping):
                raise ValueError(f"'{name}' of a recipe must map names to quantisation modes.")
        for name, mode in self.layers.items():
            _check(f"mode of the layer '{name}'", mode, get_args(QuantizationMode))
        for name, mode in self.operators.items():
            _check(f"mode of the operation '{name}'", mode, ("static",))
        _check("number of weight bits ('bits')", self.bits, _WEIGHT_BITS)
        _check("number of activation bits ('activation_bits')", self.activation_bits, _ACTIVATION_BITS)
        _check("value of 'per_channel'", self.per_channel, (False, True))
        _check("rounding", self.rounding, get_args(Rounding))

    @property
    def needs_calibration(self) -> bool:
        """Whether it can only be applied with calibration images."""
        return self.is_static or (self.rounding != "nearest" and "dynamic" in self.layers.values())

    @property
    def is_static(self) -> bool:
        """Whether it fixes the range of any tensor."""
        return "static" in {*self.layers.values(), *self.operators.values()}

    @property
    def rounds_attention(self) -> bool:
        """Whether it rounds the weights of any attention to 8 bits."""
        mixtures = {mode for name, mode in self.layers.items() if name.endswith("/mixture")}
        return self.activation_bits == 8 and "static" in mixtures

    def to_dict(self) -> dict[str, Any]:
        """Returns the recipe as a dictionary for JSON."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items()}

    @classmethod
    def from_dict(cls, content: Any) -> QuantizationRecipe:
        """Create a recipe from what `to_dict` returns.

        Args:
            content: The dictionary.

        Returns:
            The recipe.

        Raises:
            ValueError: The content is not a valid recipe.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(content, dict) or "layers" not in content or not known.issuperset(content):
            raise ValueError(f"A recipe is an object with 'layers' and optionally {', '.join(sorted(known))}.")
        return cls(**content)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recipe as JSON. An existing file is replaced once the new one is complete.

        Args:
            path: The file.
        """
        with atomic_file(Path(path)) as file:
            file.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> QuantizationRecipe:
        """Read a recipe, either from a file of its own or from the JSON file beside a `.tflite` file.

        Args:
            path: The JSON file.

        Returns:
            The recipe.

        Raises:
            FileNotFoundError: The file does not exist.
            ValueError: The file does not contain a valid recipe.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"There is no recipe '{path}'; check the path.")
        try:
            content = read_json(path)
            if isinstance(content, dict) and "quantization" in content:
                content = content["quantization"]["recipe"]
            return cls.from_dict(content)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"'{path}' does not contain a valid quantisation recipe ({error}); name the JSON file beside a "
                "quantised .tflite file."
            ) from error


def _check(what: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed or type(value) is not type(allowed[0]):
        raise ValueError(f"The {what} is {value!r}; it must be {' or '.join(map(str, allowed))}.")
