"""What `keras-segformer label` leaves behind, in a folder or an object store, and how it stays whole.

Label maps take their names from the addresses of their pictures: one that is written a second time replaces itself.
Their rows are written in small parts, which `Results.merge` makes one table of. What is in a part or a table is done;
a killed worker loses the rows of at most one part, and no row counts twice.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import posixpath
import re
import uuid
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from keras_segformer.errors import MissingExtraError
from keras_segformer.json_text import parse_json
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_images import mask_image

try:
    import pyarrow as pa
    import pyarrow.compute
    import pyarrow.fs
    import pyarrow.parquet
except ImportError as error:
    raise MissingExtraError("pyarrow", "beam") from error

_PART_ROWS = 64
_MAX_LIST = 1 << 31  # bytes: addresses of some ten million pictures
_TABLES = {
    "index": pa.schema(
        {
            "path": pa.string(),
            "mask": pa.string(),
            "height": pa.int32(),
            "width": pa.int32(),
            "classes": pa.list_(pa.struct({"index": pa.int16(), "share": pa.float32()})),
            "assumed": pa.string(),
            "model_sha256": pa.string(),
            "time": pa.timestamp("ms", tz="UTC"),
        }
    ),
    "failed": pa.schema(
        {
            "path": pa.string(),
            "reason": pa.string(),
            "model_sha256": pa.string(),
            "time": pa.timestamp("ms", tz="UTC"),
        }
    ),
}


def open_location(address: str) -> tuple[pa.fs.FileSystem, str]:
    """Finds the file system of a path or address.

    Args:
        address: A path, or an address such as `s3://bucket/folder`, `gs://bucket/folder` or `hdfs://host/folder`.

    Returns:
        The file system, and the path on it.

    Raises:
        ValueError: There is no file system for such addresses.

    Example:

    >>> open_location("file:///data/photos")[1]
    '/data/photos'
    """
    if "://" not in address:
        return pa.fs.LocalFileSystem(), PurePosixPath(posixpath.abspath(address)).as_posix()
    try:
        return pa.fs.FileSystem.from_uri(address)
    except pa.ArrowInvalid as error:
        raise ValueError(f"'{address}' cannot be opened ({error}); name a folder, s3://, gs:// or hdfs://") from error


class Results:
    """The output of `keras-segformer label`.

    Args:
        address: A folder, or the address of one.

    Raises:
        ValueError: There is no file system for such addresses.

    Example:

    ```python
    results = Results("s3://bucket/labels")
    results.merge()
    ```
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._files, self._root = open_location(address)

    def begin(self, model: str, sha256: str, label_set: LabelSet) -> None:
        """Writes down which model labels, or compares it with that of the runs before.

        Args:
            model: What it is called.
            sha256: Its SHA-256.
            label_set: Names and colours of its classes.

        Raises:
            ValueError: The results are those of another model.
        """
        path = self._path("model.json")
        if self._files.get_file_info(path).type == pa.fs.FileType.NotFound:
            content = {"model": model, "sha256": sha256, "label_set": label_set.to_dict()}
            self._write("model.json", json.dumps(content, indent=2).encode())
            return
        before = parse_json(self._read("model.json"))
        if before["sha256"] != sha256:
            raise ValueError(
                f"'{self.address}' holds the labels of another model ({before['model']}); choose another --output"
            )

    def finished(self) -> set[str]:
        """The addresses of the pictures whose labels are there."""
        return {path for table in self._tables("index") for path in table["path"].to_pylist()}

    def assumed(self, paths: Collection[str]) -> list[tuple[str, str]]:
        """What was assumed to read pictures, from the merged table.

        Args:
            paths: The addresses of those that are asked for.

        Returns:
            The address and the predicate of a sentence about it, for every picture of which something was assumed.
        """
        index = self._tables("index")[-1].select(["path", "assumed"])
        index = index.filter(pyarrow.compute.greater(pyarrow.compute.utf8_length(index["assumed"]), 0))
        return [(row["path"], row["assumed"]) for row in index.to_pylist() if row["path"] in paths]

    def write_list(self, paths: Iterable[str]) -> str:
        """Writes down what is to be done, for workers to read.

        Args:
            paths: The addresses of the pictures.

        Returns:
            What `read_list` takes.
        """
        name = f"parts/to_do-{uuid.uuid4().hex}.json"
        self._write(name, json.dumps(list(paths)).encode())
        return name

    def read_list(self, name: str) -> list[str]:
        """Reads what `write_list` has written.

        Args:
            name: What it returned.

        Returns:
            The addresses of the pictures.
        """
        return parse_json(self._read(name), max_bytes=_MAX_LIST)

    def write_mask(self, path: str, labels: np.ndarray, label_set: LabelSet) -> str:
        """Writes a label map.

        Args:
            path: The address of the picture.
            labels: `(H, W)`, integer.
            label_set: The colours.

        Returns:
            The name of the PNG file below the folder of the results.
        """
        # Thousands of folders of a few hundred files each, for file systems that are slow with more.
        digest = hashlib.sha256(path.encode()).hexdigest()
        stem = re.sub(r"[^\w.-]", "_", PurePosixPath(path).stem)[:80]
        name = f"masks/{digest[:3]}/{stem}-{digest[:16]}.png"
        content = io.BytesIO()
        mask_image(labels, label_set).save(content, format="PNG")
        self._write(name, content.getvalue())
        return name

    def write_part(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Writes some rows.

        Args:
            table: `"index"` or `"failed"`.
            rows: The rows; those of a part that is written a second time replace it.
        """
        digest = hashlib.sha256("\n".join(row["path"] for row in rows).encode()).hexdigest()
        self._write_table(f"parts/{table}-{digest[:32]}.parquet", pa.Table.from_pylist(rows, _TABLES[table]))

    def merge(self) -> tuple[int, int]:
        """Makes one table of the parts and the table before, with one row for every picture.

        Returns:
            How many pictures have labels, and how many have none.
        """
        parts = self._parts()
        index = _one_row_each(self._tables("index"))
        failed = _one_row_each(self._tables("failed"))
        failed = failed.filter(pa.compute.invert(pa.compute.is_in(failed["path"], index["path"].combine_chunks())))
        self._write_table("index.parquet", index)
        self._write_table("failed.parquet", failed)
        for part in parts:
            self._files.delete_file(part)
        return len(index), len(failed)

    def _tables(self, name: str) -> list[pa.Table]:
        """The table of the runs before and the parts, the newest first."""
        parts = [part for part in self._parts() if posixpath.basename(part).startswith(f"{name}-")]
        merged = self._path(f"{name}.parquet")
        if self._files.get_file_info(merged).type == pa.fs.FileType.File:
            parts.append(merged)
        tables = [pa.parquet.read_table(part, filesystem=self._files) for part in parts]
        return tables or [_TABLES[name].empty_table()]

    def _parts(self) -> list[str]:
        selector = pa.fs.FileSelector(self._path("parts"), allow_not_found=True)
        found = [each.path for each in self._files.get_file_info(selector) if each.type == pa.fs.FileType.File]
        return [path for path in found if not posixpath.basename(path).startswith(".")]

    def _path(self, name: str) -> str:
        return posixpath.join(self._root, name)

    def _read(self, name: str) -> bytes:
        with self._files.open_input_stream(self._path(name)) as stream:
            return stream.read()

    def _write_table(self, name: str, table: pa.Table) -> None:
        content = pa.BufferOutputStream()
        pa.parquet.write_table(table, content)
        self._write(name, content.getvalue())

    def _write(self, name: str, content: Any) -> None:
        """Writes a file such that it is never seen in part."""
        path = self._path(name)
        if self._files.type_name not in ("local", "hdfs"):  # an object is there when its stream is closed
            with self._files.open_output_stream(path) as stream:
                stream.write(content)
            return
        folder, base = posixpath.split(path)
        temporary = posixpath.join(folder, f".{uuid.uuid4().hex[:8]}.{base}")
        self._files.create_dir(folder, recursive=True)
        with self._files.open_output_stream(temporary) as stream:
            stream.write(content)
        self._files.move(temporary, path)


class ResultWriter:
    """Writes what a worker finds: label maps at once, and their rows in parts.

    Args:
        results: Where to.
        label_set: Names and colours of the classes.

    Example:

    ```python
    writer = ResultWriter(Results("labels"), model.label_set)
    writer.add("photo.jpg", labels, model.sha256)
    writer.flush()
    ```
    """

    def __init__(self, results: Results, label_set: LabelSet) -> None:
        self._results, self._label_set = results, label_set
        self._rows: dict[str, list[dict[str, Any]]] = {"index": [], "failed": []}

    def add(self, path: str, labels: np.ndarray | Exception, sha256: str, assumptions: Sequence[str] = ()) -> None:
        """Adds a picture.

        Args:
            path: Its address.
            labels: `(H, W)`, or why there are none.
            sha256: The SHA-256 of the model.
            assumptions: What was assumed to read it.
        """
        row: dict[str, Any] = {"path": path, "model_sha256": sha256, "time": datetime.datetime.now(datetime.UTC)}
        if isinstance(labels, Exception):
            self._append("failed", row | {"reason": str(labels)})
            return
        pixels = np.bincount(labels.ravel())
        row["mask"] = self._results.write_mask(path, labels, self._label_set)
        row["height"], row["width"] = labels.shape
        row["classes"] = [
            {"index": int(index), "share": float(pixels[index] / labels.size)} for index in np.flatnonzero(pixels)
        ]
        row["assumed"] = "; ".join(assumptions)
        self._append("index", row)

    def flush(self) -> None:
        """Writes the rows that have gathered."""
        for table, rows in self._rows.items():
            if rows:
                self._results.write_part(table, rows)
                rows.clear()

    def _append(self, table: str, row: dict[str, Any]) -> None:
        rows = self._rows[table]
        rows.append(row)
        if len(rows) == _PART_ROWS:
            self._results.write_part(table, rows)
            rows.clear()


def _one_row_each(tables: list[pa.Table]) -> pa.Table:
    """The rows of all tables in the order of their paths, of those with one path the first."""
    table = pa.concat_tables(tables, promote_options="default")  # those of older versions lack columns
    _, first = np.unique(np.array(table["path"].to_pylist(), dtype=object), return_index=True)
    return table.take(pa.array(first))
