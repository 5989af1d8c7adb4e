"""Which layer is quantised how: written down, so that it can be read and repeated."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from keras_segformer.files import atomic_file

Form = Literal["float", "dynamic", "static"]
"""How a layer computes.

`dynamic`: INT8 weights, inputs that are quantised while it runs, float outputs. `static`: inputs, weights and outputs
are INT8, with ranges fixed by calibration.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a file is quantised.

    Args:
        layers: The form of every layer, by its name.
        operators: The form of every further kind of operation that is quantised, by its name in the schema.
        bits: Width of the weights.
        activation_bits: Width of static inputs and outputs.
        per_channel: Whether every output channel has a scale of its own.
        rounding: `"least_output_error"`, which needs calibration images, or `"nearest"`.
    """

    layers: Mapping[str, Form]
    operators: Mapping[str, Form] = dataclasses.field(default_factory=dict)
    bits: int = 8
    activation_bits: int = 8
    per_channel: bool = True
    rounding: Literal["least_output_error", "nearest"] = "least_output_error"

    @property
    def needs_calibration(self) -> bool:
        """Whether it cannot be followed without calibration images."""
        return self.is_static or (self.rounding != "nearest" and "dynamic" in self.layers.values())

    @property
    def is_static(self) -> bool:
        """Whether it fixes the range of a tensor."""
        return "static" in {*self.layers.values(), *self.operators.values()}

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON has it."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in fields.items()}

    @classmethod
    def from_dict(cls, content: Any) -> Recipe:
        """The recipe that `to_dict` wrote.

        Args:
            content: The object.

        Returns:
            The recipe.

        Raises:
            ValueError: The object is no recipe.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(content, dict) or "layers" not in content or not known.issuperset(content):
            raise ValueError(f"A recipe is an object with 'layers' and, if need be, {', '.join(sorted(known))}.")
        forms = {**content["layers"], **content.get("operators", {})}
        wrong = {name: form for name, form in forms.items() if form not in get_args(Form)}
        if wrong:
            raise ValueError(f"The recipe has {wrong}; a form is one of {', '.join(get_args(Form))}.")
        return cls(**content)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recipe as JSON, whole or not at all.

        Args:
            path: The file.
        """
        with atomic_file(Path(path)) as file:
            file.write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recipe:
        """Read a recipe, or the one in the JSON file beside a `.tflite` file.

        Args:
            path: The JSON file.

        Returns:
            The recipe.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It holds no recipe.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"There is no recipe '{path}'; check the path.")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(content, dict) and "quantization" in content:
                content = content["quantization"]["recipe"]
            return cls.from_dict(content)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"'{path}' holds no recipe of a quantisation ({error}); name another file.") from error
