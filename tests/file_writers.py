"""Writers of small files, to be killed in a process that need not load Keras."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_segformer.files import atomic_files, atomic_folder, write_bytes
from kills import Writer, hit


def pair_writer(folder: Path) -> Writer:
    """Two files of which the second has the digest of the first, as `convert` writes them."""
    paths = [folder / "model.tflite", folder / "model.json"]

    def write(version: int) -> None:
        content = bytes([version]) * 1_000_000
        with atomic_files(paths) as [model, description]:
            write_bytes(model, content)
            write_bytes(description, hashlib.sha256(content).hexdigest().encode())

    def find() -> int | None:
        content = paths[0].read_bytes()
        assert len(content) == 1_000_000
        return content[0] if paths[1].read_text() == hashlib.sha256(content).hexdigest() else None

    return Writer("a pair of files", write, find, (folder,))


def folder_writer(folder: Path) -> Writer:
    """Three files in a folder, as `save_to_preset` and `save_to_transformers` write them."""

    def write(version: int) -> None:
        with atomic_folder(folder / "preset", overwrite=True) as temporary:
            for name in ("weights", "config", "metadata"):
                write_bytes(temporary / name, bytes([version]) * 500_000)

    def find() -> int:
        contents = {file.read_bytes() for file in (folder / "preset").iterdir()}
        [content] = contents
        assert len(content) == 500_000
        assert len(list((folder / "preset").iterdir())) == 3
        return content[0]

    return Writer("a folder", write, find, (folder,))


def hit_writer(make: Callable[[Path], Writer], folder: Path, count: int) -> dict[str, Any]:
    """Kills a writer of a folder again and again, as `hit` does."""
    return hit(make(folder), count)
