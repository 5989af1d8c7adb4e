"""The report about a converted file, as an HTML page that needs no other file. `page.html` is its template."""

from __future__ import annotations

import base64
import functools
import io
from importlib import resources
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from keras_segformer.label_sets import LabelSet
from keras_segformer.label_sets.display_colors import palette_colors
from keras_segformer.licenses import License

from ..audit import Audit
from .verification import ComparedPicture, Verification, panels

_MAX_ROWS = 40
_PICTURE_SIDE = 384
_NAMELESS = "A SegFormer"


def write_report(
    facts: dict[str, Any],
    audit: Audit,
    verification: Verification | None,
    label_set: LabelSet,
    preset: str | None = None,
) -> str:
    """Write the page.

    Args:
        facts: The content of the JSON file.
        audit: The audit of the file.
        verification: The comparison with the network; `None` if there were no images.
        label_set: Names and colours of the classes.
        preset: Name of the model's preset, if it is known.

    Returns:
        HTML that needs no other file.

    Raises:
        jinja2.UndefinedError: `facts` lacks an entry.
    """
    return _template().render(
        facts=facts,
        name=preset or _NAMELESS,
        preset=preset,
        license=facts["license"] and License(**facts["license"]),
        audit=audit,
        verification=verification,
        classes=verification and sorted(verification.classes(), key=lambda each: each["iou"])[:_MAX_ROWS],
        legend=_legend(verification, label_set) if verification else [],
        pairs=[_pictures(picture, label_set) for picture in verification.worst] if verification else [],
        quantization=_quantization(facts.get("quantization")),
    )


@functools.cache
def _template() -> jinja2.Template:
    source = (resources.files(__package__) / "page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source)


def _legend(verification: Verification, label_set: LabelSet) -> list[dict[str, str]]:
    """Names and colours of the classes in the pictures, in the order of the label set."""
    labels = [np.unique([picture.expected, picture.actual]) for picture in verification.worst]
    present = np.unique(np.concatenate(labels)) if labels else []
    colors = palette_colors(label_set)
    return [
        {"name": label_set.names[index], "color": "#{:02x}{:02x}{:02x}".format(*colors[index])} for index in present
    ]


def _pictures(picture: ComparedPicture, label_set: LabelSet) -> list[dict[str, str]]:
    return [
        {"url": _data_url(image), "caption": caption}
        for caption, image in zip(picture.captions, panels(picture, label_set), strict=True)
    ]


def _data_url(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def _quantization(quantization: dict[str, Any] | None) -> dict[str, Any] | None:
    """The facts with the number of layers by mode, and the most sensitive layers, the most sensitive first."""
    if not quantization:
        return None
    modes = quantization["recipe"]["layers"]
    rows = [
        row | {"chosen": modes[row["layer"]] == row["form"]}
        for row in quantization["sensitivity"]
        if row["form"] != "float"
    ]
    return quantization | {
        "counts": {mode: list(modes.values()).count(mode) for mode in dict.fromkeys(modes.values())},
        "sensitivity": sorted(rows, key=lambda row: -row["divergence"])[:_MAX_ROWS],
    }
