"""What is wrong with a recipe, in a sentence that names the field, the value and the remedy."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from keras_segformer.models import MixTransformerConfig, SegFormerConfig
from keras_segformer.models.config import field_names

_KINDS = {"dict_type": "an object", "list_type": "a list", "tuple_type": "a list", "string_type": "a text"}
"""What pydantic's types are called in JSON."""

_MODEL_FIELDS = field_names(SegFormerConfig) | field_names(MixTransformerConfig)

_ELSEWHERE = {
    "schedule.rate": ("lr", "learning_rate", "base_lr", "lr0"),
    "schedule.warmup_steps": ("warmup", "warmup_iters"),
    "optimizer.use_ema": ("ema",),
    "model.input_size": ("size", "image_size", "img_size", "imgsz", "resolution"),
    "model.num_classes": ("classes", "nc", "num_labels"),
    "batch_size": ("batch",),
    "epochs": ("num_epochs", "num_train_epochs", "max_epochs"),
    "steps": ("max_steps", "iterations", "max_iters", "total_steps"),
    "initial": ("preset", "weights", "pretrained", "checkpoint"),
}
"""What the fields are called in Keras, transformers, mmsegmentation and Ultralytics."""


def describe_errors(error: ValidationError, schema: type[BaseModel]) -> str:
    """Describes the first thing that is wrong, and names the other fields.

    Args:
        error: What pydantic found.
        schema: The model of the recipe.

    Returns:
        A sentence, and another one where several fields are wrong.
    """
    found = {_error_path(each): each for each in reversed(error.errors())}
    first, *others = reversed(found)
    more = f" Also wrong: {', '.join(f'`{path}`' for path in others)}." if others else ""
    return _sentence(first, found[first], schema) + more


def field_paths(schema: type[BaseModel]) -> dict[str, Mapping[str, Any]]:
    """The JSON schemas of all fields of a recipe, those in sections included.

    Args:
        schema: The model of the recipe.

    Returns:
        By dotted names, such as `augmentation.flip`.
    """
    root = schema.model_json_schema()
    return dict(_walk(root, root["$defs"], ""))


def _walk(schema: Mapping[str, Any], sections: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, field in schema["properties"].items():
        yield f"{prefix}{name}", field
        for reference in _references(field):
            yield from _walk(sections[reference], sections, f"{prefix}{name}.")


def _references(field: Mapping[str, Any]) -> list[str]:
    """The sections that a field refers to, as an object, as null or an object, or as a list of objects."""
    alternatives = [field, field.get("items", {}), *field.get("anyOf", ())]
    return [each["$ref"].rpartition("/")[2] for each in alternatives if "$ref" in each]


def _sentence(path: str, error: Mapping[str, Any], schema: type[BaseModel]) -> str:
    kind, value = error["type"], error["input"]
    if kind == "missing":
        return f"The recipe lacks `{path}`; add it."
    if kind == "extra_forbidden":
        return f"A recipe has no `{path}`, which is {value!r} here; did you mean {_nearest(path, schema)}?"
    if kind == "wrong_section":
        return f"`{path}`: {error['msg']}"
    if kind in _KINDS:
        return f"`{path}` must be {_KINDS[kind]}; got {value!r}."
    return f"`{path}` {error['msg']}; got {value!r}."


def _nearest(path: str, schema: type[BaseModel]) -> str:
    """The fields of the same name in other sections, else the one of the most similar name."""
    known = _known_paths(schema)
    if path in known:  # a field of the objects in a list, which can only be changed as a whole
        return f"`{path.rpartition('.')[0]}`"
    name = path.rpartition(".")[2].replace("-", "_")
    elsewhere = [each for each, names in _ELSEWHERE.items() if name in names]
    same = elsewhere + [each for each in known if each.rpartition(".")[2] == name]
    if name in _MODEL_FIELDS:
        same.append(f"model.{name}")
    return " or ".join(f"`{each}`" for each in same or difflib.get_close_matches(path, known, n=1, cutoff=0))


@functools.cache
def _known_paths(schema: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field_paths(schema))


def _error_path(error: Mapping[str, Any]) -> str:
    """The field that is wrong. A field that does not exist is named as it was given, which may be no identifier."""
    location = error["loc"]
    if error["type"] != "extra_forbidden":
        return _path(location)
    *outer, name = location
    return ".".join(filter(None, (_path(tuple(outer)), str(name))))


def _path(location: tuple[int | str, ...]) -> str:
    """`("phases", 0, "from_step")` as `phases[0].from_step`, without the names that pydantic gives to alternatives."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part.isidentifier() and not part.endswith("Fields"):
            path += f".{part}" if path else part
    return path
