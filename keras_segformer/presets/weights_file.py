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
        WeightsMismatchError: It is broken, or refers to other files, from which it would read whatever this process
            may read.
    """
    try:
        file = h5py.File(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (OSError, RuntimeError) as error:
        raise WeightsMismatchError(f"{_name(source)} is not a readable HDF5 file ({error}); get it again.") from error
    try:
        _refuse_references(file, _name(source))
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        file.close()
        if isinstance(error, WeightsMismatchError):
            raise
        raise WeightsMismatchError(f"{_name(source)} is not a readable HDF5 file ({error}); get it again.") from error
    return file


def _refuse_references(group: h5py.Group, file: str) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        item = group[name] if isinstance(link, h5py.HardLink) else None
        foreign = isinstance(item, h5py.Dataset) and (item.external or item.is_virtual)
        if item is None or foreign:
            raise WeightsMismatchError(
                f"{file} refers to data outside of itself at {group.name}/{name}, which weights never do; do not trust "
                "it, and get the file from another source."
            )
        if isinstance(item, h5py.Group):
            _refuse_references(item, file)


def _name(source: Path | bytes) -> str:
    return "The weights" if isinstance(source, bytes) else str(source)
