"""Reads files of named tensors: safetensors, sharded safetensors, and PyTorch checkpoints."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from safetensors import safe_open

from keras_segformer.errors import InvalidPresetError
from keras_segformer.json_text import read_json
from keras_segformer.presets.torch_checkpoint import check_legacy_checkpoint, find_state_dict, read_torch_checkpoint

SAFETENSORS_SUFFIX = ".safetensors"
SAFETENSORS_INDEX_SUFFIX = ".safetensors.index.json"
TORCH_SUFFIXES = (".bin", ".pth", ".pt")


_OTHER_WAYS = {
    ".tflite": "commands that run TF Lite files take them with --model, and Python opens them with "
    "keras_segformer.evaluation.TFLiteModel",
    ".keras": "open a whole Keras model with keras.models.load_model after `import keras_segformer`",
    ".h5": "name the folder that the weights are in, with its config.json",
}
"""What to do with files that people take for presets."""


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read every tensor of a file. Nothing in the file is executed.

    Args:
        path: A `.safetensors` file, the `*.safetensors.index.json` of several, or a PyTorch checkpoint (`.bin`,
            `.pth`, `.pt`) that is or holds a state dict. A restricted reader of ours reads the latter, except for
            files from before PyTorch 1.6, which PyTorch 2.6 or newer reads where it is installed.

    Returns:
        Arrays by name: floating-point numbers of any width as float32, others as they are.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidPresetError: The file is broken, empty, of an unknown kind, or contains anything other than tensors.

    Example:

    >>> import tempfile
    >>> from safetensors.numpy import save_file
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> save_file({"bias": np.ones(3, "float16")}, path)
    >>> read_tensors(path)
    {'bias': array([1., 1., 1.], dtype=float32)}
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}; check its name.")
    if path.name.endswith(SAFETENSORS_INDEX_SUFFIX):
        tensors = _read_shards(path)
    elif path.suffix == SAFETENSORS_SUFFIX:
        tensors = _read_safetensors(path)
    elif path.suffix in TORCH_SUFFIXES:
        torch = None if zipfile.is_zipfile(path) else _trustworthy_torch()
        tensors = _read_with_torch(torch, path) if torch else read_torch_checkpoint(path)
    else:
        kinds = ", ".join((SAFETENSORS_SUFFIX, SAFETENSORS_INDEX_SUFFIX, *TORCH_SUFFIXES))
        remedy = _OTHER_WAYS.get(path.suffix, f"tensors are read from {kinds}")
        raise InvalidPresetError(f"{path} is not a preset; {remedy}.")
    return {name: _with_float32(array) for name, array in tensors.items()}


def _with_float32(array: np.ndarray) -> np.ndarray:
    # NumPy counts ml_dtypes' bfloat16 among the void types ("V"), not among the floating-point ones.
    return array.astype(np.float32, copy=False) if array.dtype.kind in "fV" else array


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(path, framework="np") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - `file` is not a mapping
    # The library's error derives from Exception alone, and dtypes unknown to NumPy raise an AttributeError.
    except Exception as error:
        raise InvalidPresetError(
            f"{path} is a broken safetensors file ({error}); delete it and download it again."
        ) from error


def _read_shards(index_path: Path) -> dict[str, np.ndarray]:
    """Read the files that an index names, and compare their tensors with it."""
    file_of = _read_weight_map(index_path)
    tensors: dict[str, np.ndarray] = {}
    for name in sorted(set(file_of.values())):
        shard = index_path.with_name(name)
        if not shard.is_file():
            raise InvalidPresetError(f"{index_path} names {name}, which is not beside it; download the folder again.")
        for tensor, array in _read_safetensors(shard).items():
            if file_of.get(tensor) != name:
                raise InvalidPresetError(
                    f"{shard} holds {tensor!r}, which its index does not place there; download the folder again."
                )
            tensors[tensor] = array
    missing = sorted(set(file_of) - set(tensors))
    if missing:
        raise InvalidPresetError(
            f"{index_path} names tensors that its files lack, download the folder again: {', '.join(missing)}."
        )
    return tensors


def _read_weight_map(index_path: Path) -> dict[str, str]:
    """The file of every tensor by the tensor's name."""
    try:
        file_of: dict[str, Any] = read_json(index_path)["weight_map"]
        # Plain names only: an index must not reach for files of other folders.
        if any(Path(file).name != file or not file.endswith(SAFETENSORS_SUFFIX) for file in file_of.values()):
            raise ValueError("it names a file that is not a safetensors file beside it")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidPresetError(
            f"{index_path} is not an index of safetensors files ({type(error).__name__}: {error}); delete it and "
            "download it again."
        ) from error
    return file_of


def _trustworthy_torch() -> ModuleType | None:
    """PyTorch, if it is installed in a version whose `weights_only=True` is safe (CVE-2025-32434)."""
    try:
        import torch
    except ImportError:
        return None
    return torch if torch.__version__ >= (2, 6) else None


def _read_with_torch(torch: ModuleType, path: Path) -> dict[str, np.ndarray]:
    try:
        check_legacy_checkpoint(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        return {
            name: (tensor.float() if tensor.is_floating_point() else tensor).detach().numpy()
            for name, tensor in find_state_dict(checkpoint, torch.Tensor).items()
        }
    # PyTorch may raise almost any exception for a broken file. Its message stays in the chain: it advises to allow the
    # execution of the file.
    except Exception as error:
        raise InvalidPresetError(
            f"{path} is broken or holds more than tensors, PyTorch refuses it ({type(error).__name__}); delete it and "
            "download it again, or save its state dict as safetensors where it was made."
        ) from error
