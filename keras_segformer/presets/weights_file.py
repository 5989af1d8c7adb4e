"""Keras' weights files, made in memory.

If the disk fills up while HDF5 writes to it, the whole process ends with a segmentation fault (HDF5 flushes again at
exit), and a trained model is lost. Keras' public functions can only write to disk, so this file uses the private store
behind them.
"""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import keras
from keras.src.saving import saving_lib

from keras_segformer.errors import WeightsMismatchError


def weights_bytes(model: keras.Model) -> bytes:
    """Makes the weights file that `model.save_weights` writes.

    Args:
        model: A built model. A compiled one's optimizer is part of the file, as Keras has it.

    Returns:
        The content of a `.weights.h5` file.

    Example:

    ```python
    write_file("model.weights.h5", weights_bytes(model))
    ```
    """
    buffer = io.BytesIO()
    store = saving_lib.H5IOStore(buffer, mode="w")
    saving_lib._save_state(model, weights_store=store, assets_store=None, inner_path="", visited_saveables=set())
    store.close()
    return buffer.getvalue()


def open_weights(source: Path | bytes) -> h5py.File:
    """Opens a weights file that holds all of its data itself.

    Args:
        source: The file, or its content.

    Returns:
        The file, to be closed by the caller.

    Raises:
        WeightsMismatchError: It is broken, refers to other files, from which it would read whatever this process may
            read, or describes more data than it holds.
    """
    try:
        file = h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (OSError, RuntimeError) as error:
        raise WeightsMismatchError(f"{_name(source)} is not a readable HDF5 file ({error}); get it again.") from error
    try:
        described = _check_group(file, _name(source), set())
        held = len(source) if isinstance(source, bytes) else source.stat().st_size
        if described > held:
            raise WeightsMismatchError(
                f"{_name(source)} describes {described} bytes of weights and has {held}; get it from another source."
            )
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        file.close()
        if isinstance(error, WeightsMismatchError):
            raise
        raise WeightsMismatchError(f"{_name(source)} is not a readable HDF5 file ({error}); get it again.") from error
    return file


def _check_group(group: h5py.Group, file: str, seen: set[int]) -> int:
    """The bytes that the data sets of a group describe, all of which the file must hold, and each once."""
    described = 0
    for name in group:
        link = group.get(name, getlink=True)
        item = group[name] if isinstance(link, h5py.HardLink) else None
        foreign = isinstance(item, h5py.Dataset) and (item.external or item.is_virtual)
        if item is None or foreign:
            raise WeightsMismatchError(
                f"{file} refers to data outside of itself at {group.name}/{name}, which weights never do; do not trust "
                "it, and get the file from another source."
            )
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:  # groups within themselves have no end
            raise WeightsMismatchError(f"{file} holds {group.name}/{name} under another name too; get the file again.")
        seen.add(address)
        if isinstance(item, h5py.Group):
            described += _check_group(item, file, seen)
            continue
        # What was never written, or is compressed, takes no room in the file, and any amount of it in memory.
        if item.id.get_storage_size() < item.nbytes:
            raise WeightsMismatchError(
                f"{file} describes {item.nbytes} bytes at {group.name}/{name} and holds {item.id.get_storage_size()}; "
                "weights are stored whole and uncompressed: get the file from another source."
            )
        described += item.nbytes
    return described


def _name(source: Path | bytes) -> str:
    return "The weights" if isinstance(source, bytes) else str(source)
