"""Which layers are frozen, as data that a configuration can hold.

Keras restores the flag of a layer from the layer's own configuration. Layers that a constructor makes anew have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras


def trainable_flags(layer: keras.layers.Layer, opaque: keras.layers.Layer | None = None) -> dict[str, bool]:
    """The `trainable` of every layer inside that differs from that of the layer around it.

    Args:
        layer: A layer or model.
        opaque: A layer inside whose own content is left out.

    Returns:
        The flags by path of names, the outer before the inner.

    Example:

    >>> model = keras.Sequential([keras.layers.Dense(2, name="first"), keras.layers.Dense(2, name="second")])
    >>> model.layers[0].trainable = False
    >>> trainable_flags(model)
    {'first': False}
    """
    return dict(_differing(layer, "", opaque))


def set_trainable_flags(layer: keras.layers.Layer, flags: Mapping[str, bool]) -> None:
    """The inverse of `trainable_flags`.

    Args:
        layer: A layer or model, all of whose layers have its own `trainable`.
        flags: What `trainable_flags` returned.

    Raises:
        ValueError: There is no layer of that path.
    """
    for path, flag in flags.items():
        _find(layer, path).trainable = flag


def _differing(layer: keras.layers.Layer, prefix: str, opaque: keras.layers.Layer | None) -> Iterator[tuple[str, bool]]:
    if layer is opaque:
        return
    for name, inner in _inner_layers(layer).items():
        if inner.trainable != layer.trainable:
            yield prefix + name, inner.trainable
        yield from _differing(inner, f"{prefix}{name}/", opaque)


def _find(layer: keras.layers.Layer, path: str) -> Any:
    for name in path.split("/"):
        inner = _inner_layers(layer)
        if name not in inner:
            raise ValueError(
                f"The saved model has a layer {path!r}, which this version does not; load it with the version that "
                "saved it."
            )
        layer = inner[name]
    return layer


def _inner_layers(layer: keras.layers.Layer) -> dict[str, keras.layers.Layer]:
    # Keras has a public list of the layers inside only for models.
    return {inner.name: inner for inner in layer._flatten_layers(include_self=False, recursive=False)}
