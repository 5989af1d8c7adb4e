"""The published weights that have a name here; the data is `catalogue.json`."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from keras_segformer.errors import InvalidPresetError
from keras_segformer.json_text import read_json
from keras_segformer.licenses import License
from keras_segformer.models.variants import VARIANTS

Size = tuple[int, int]

BUNDLED = "bundled"
"""The source of presets that come with this package."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PaperFigures:
    """What the authors report of a preset; `None` where they do not.

    Sources: SegFormer (arXiv 2105.15203), tables 1 and 7; PVTv2, the table of https://github.com/whai362/PVT.

    Args:
        miou_single_scale: Mean intersection over union on the validation set, in per cent.
        miou_multi_scale: The same with multi-scale and flipped inference.
        top1: Accuracy on the ImageNet-1K validation set, in per cent.
        macs_g: Multiply-accumulates in units of 1e9, which the paper calls FLOPs.
        macs_input_size: `(height, width)` in pixels of the image behind `macs_g`.
    """

    miou_single_scale: float | None = None
    miou_multi_scale: float | None = None
    top1: float | None = None
    macs_g: float | None = None
    macs_input_size: Size | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PresetInfo:
    """One entry of the catalogue.

    Args:
        name: What `from_preset` calls it.
        title: A title of one line.
        task: What the published head does.
        variant: Key of `keras_segformer.VARIANTS`.
        source: `"hf://org/repo"`, `"kaggle://owner/model/framework/variation"`, or `"bundled"` for those that come
            with this package.
        layout: Naming scheme of the published tensors.
        license: The terms of the weights.
        input_size: `(height, width)` in pixels that the weights were trained for.
        num_classes: Channels of the published head.
        parameters: Number of trainable parameters, head included.
        label_set: Name for `keras_segformer.load_label_set`, if there is a label set.
        paper: What the authors report.
        sha256: Hexadecimal digest of published files by their name, where known.

    Raises:
        InvalidPresetError: A value that is not of its kind.
    """

    name: str
    title: str
    task: Literal["segmentation", "classification"]
    variant: str
    source: str
    layout: Literal["transformers", "timm", "keras"]
    license: License
    input_size: Size
    num_classes: int
    parameters: int
    label_set: str | None = None
    paper: PaperFigures = dataclasses.field(default_factory=PaperFigures)
    sha256: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        valid = {
            "task": self.task in ("segmentation", "classification"),
            "variant": self.variant in VARIANTS,
            "source": self.source == BUNDLED or self.source.startswith(("hf://", "kaggle://")),
            "layout": self.layout in ("transformers", "timm", "keras"),
            "license": self.license.url.startswith("https://"),
            "input_size": len(self.input_size) == 2 and min(self.input_size) >= 32,
            "num_classes": self.num_classes >= 1,
            "parameters": self.parameters >= 1,
            "sha256": all(re.fullmatch("[0-9a-f]{64}", digest) for digest in self.sha256.values()),
        }
        wrong = {name: getattr(self, name) for name, is_valid in valid.items() if not is_valid}
        if wrong:
            raise InvalidPresetError(f"Catalogue entry {self.name!r} holds wrong values, correct them: {wrong}.")


def suggest(name: str) -> str:
    """Suggests names for a preset that was not found.

    Args:
        name: The requested name.

    Returns:
        A sentence with similar names, if there are any, and where all of them are listed.

    Example:

    >>> suggest("b0_ade20")
    "Did you mean 'b0_ade20k'? `keras-segformer presets` lists the catalogue."
    """
    similar = difflib.get_close_matches(name, PRESETS, n=1)
    guess = f"Did you mean {similar[0]!r}? " if similar else ""
    return f"{guess}`keras-segformer presets` lists the catalogue."


def _read_families(families: list[dict[str, Any]]) -> dict[str, PresetInfo]:
    """Turn the JSON, where presets of one family share values, into one complete entry per preset."""
    presets: dict[str, PresetInfo] = {}
    for family in families:
        for name, own in family["presets"].items():
            if name in presets:
                raise InvalidPresetError(f"The catalogue has two presets {name!r}; rename one of them.")
            presets[name] = _read_entry(name, family["shared"] | own)
    return presets


def _read_entry(name: str, values: dict[str, Any]) -> PresetInfo:
    paper = dict(values.get("paper", {}))
    if "macs_input_size" in paper:
        paper["macs_input_size"] = tuple(paper["macs_input_size"])
    return PresetInfo(
        **values
        | {
            "name": name,
            "license": License(**values["license"]),
            "input_size": tuple(values["input_size"]),
            "paper": PaperFigures(**paper),
        }
    )


PRESETS: Mapping[str, PresetInfo] = MappingProxyType(
    _read_families(read_json(resources.files(__package__) / "catalogue.json"))
)
"""Every catalogue entry by its name."""


def list_presets() -> list[str]:
    """Returns the names of the presets that `SegFormer.from_preset` and `load_encoder` take.

    Example:

    >>> "b0_camvid" in list_presets()
    True
    """
    return list(PRESETS)
