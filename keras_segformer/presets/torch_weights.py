"""Moves parameters between torch state dicts and our models: strictly, and all or nothing."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from keras_segformer.errors import WeightsMismatchError
from keras_segformer.presets.layouts import Layout, Source, source_of

# torch counts the batches that batch norm has seen; no computation of ours or theirs reads it.
_COUNTER = "num_batches_tracked"

_LISTED = 8


def assign_state_dict(model: keras.Model, tensors: Mapping[str, np.ndarray], layout: Layout) -> None:
    """Fill every variable of a model from a torch state dict.

    Args:
        model: A `MixTransformer` or `SegFormerNetwork`; untouched if anything is wrong.
        tensors: Arrays by key. Linear maps are `(out, in)`, convolutions `(out, in, height, width)`.
        layout: The spelling of the keys.

    Raises:
        WeightsMismatchError: A tensor is missing, left over, of another shape, or holds NaN or infinity.
            The message lists both sides.
    """
    variables = parameters(model)
    sources = {path: source_of(path, layout) for path in variables}
    unmapped = [path for path, source in sources.items() if source is None]
    wanted = {source.key for source in sources.values() if source}
    missing = sorted(wanted - set(tensors))
    left_over = sorted(key for key in set(tensors) - wanted if not key.endswith(_COUNTER))
    if unmapped or missing or left_over:
        raise WeightsMismatchError(
            f"The {layout.name} weights and the model differ. The model needs but the file lacks: "
            f"{_listed(missing + unmapped)}. The file holds but the model does not use: {_listed(left_over)}. "
            "Check that the config belongs to the weights."
        )
    values = {path: _take(tensors, sources[path], variable) for path, variable in variables.items()}
    for path, variable in variables.items():
        variable.assign(values[path])


def to_state_dict(model: keras.Model, layout: Layout) -> dict[str, np.ndarray]:
    """The inverse of `assign_state_dict`, for layouts that keep keys and values apart.

    Args:
        model: A `MixTransformer` or `SegFormerNetwork`.
        layout: The spelling of the keys.

    Returns:
        float32 arrays by key, in torch's order of axes; batch norm's counter is 0.

    Raises:
        WeightsMismatchError: The model has parts that the layout has no name for.
    """
    variables = parameters(model)
    sources = {path: source_of(path, layout) for path in variables}
    unmapped = [path for path, source in sources.items() if source is None]
    if unmapped:
        raise WeightsMismatchError(
            f"The {layout.name} layout has no place for {_listed(unmapped)}; use `save_to_preset` for this model."
        )
    tensors = {}
    for path, variable in variables.items():
        source = sources[path]
        array = np.asarray(keras.ops.convert_to_numpy(variable.value), "float32")
        tensors[source.key] = np.ascontiguousarray(_to_torch_axes(array, source.kind))
        if source.key.endswith("running_mean"):
            tensors[source.key.replace("running_mean", _COUNTER)] = np.zeros((), "int64")
    return tensors


def parameters(model: keras.Model) -> dict[str, keras.Variable]:
    """Every variable that a checkpoint holds, by path: all but the states of random generators."""
    return {variable.path: variable for variable in model.variables if "seed_generator" not in variable.path}


def _take(tensors: Mapping[str, np.ndarray], source: Source, variable: keras.Variable) -> np.ndarray:
    array = tensors[source.key]
    if not np.issubdtype(array.dtype, np.floating) or not np.isfinite(array).all():
        raise WeightsMismatchError(f"Tensor {source.key!r} holds values that are not finite; get it again.")
    if source.half is not None:
        array = np.array_split(array, 2, axis=0)[source.half]
    ours = _from_torch_axes(array, source.kind, tuple(variable.shape))
    if ours is None:
        raise WeightsMismatchError(
            f"Tensor {source.key!r} has shape {tensors[source.key].shape}, which does not fill {variable.path!r} of "
            f"shape {tuple(variable.shape)}; check that the config belongs to the weights."
        )
    return ours


# kind: (rank in torch, order of its axes in Keras)
_AXES = {
    "vector": (1, (0,)),
    "linear": (2, (1, 0)),
    "convolution": (4, (2, 3, 1, 0)),
    "depthwise": (4, (2, 3, 0, 1)),
}


def _from_torch_axes(array: np.ndarray, kind: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """The values in Keras' order of axes, or `None` where they do not have the variable's shape."""
    rank, order = _AXES[kind]
    if array.ndim != rank:
        return None
    array = array.transpose(order)
    # One side may spell as a 1x1 convolution what the other spells as a matrix.
    if max(array.ndim, len(shape)) == 4:
        array, shape4 = _as_convolution(array), (1,) * (4 - len(shape)) + shape
        return array.reshape(shape) if array.shape == shape4 else None
    return array if array.shape == shape else None


def _to_torch_axes(array: np.ndarray, kind: str) -> np.ndarray:
    rank, order = _AXES[kind]
    array = _as_convolution(array) if rank == 4 else array.reshape(array.shape[-rank:])
    return array.transpose(np.argsort(order))


def _as_convolution(array: np.ndarray) -> np.ndarray:
    return array.reshape((1,) * (4 - array.ndim) + array.shape)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more if names else "nothing"
