"""Results of all pictures of a run of `keras-segformer predict` in one file."""

from __future__ import annotations

import csv
import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.cli.outputs import class_areas, write_json
from keras_segformer.errors import MissingExtraError
from keras_segformer.files import atomic_file
from keras_segformer.label_sets import LabelSet

_COLUMNS = ("source", "height", "width", "index", "name", "pixels", "share")
_KINDS = (str, int, int, int, str, int, float)


def is_parquet(path: Path) -> bool:
    """Whether a table is written as Parquet, by the name of its file.

    Args:
        path: The file.

    Returns:
        Whether it ends in `.parquet`.

    Raises:
        MissingExtraError: It does, and pyarrow is not installed.
    """
    if path.suffix.lower() != ".parquet":
        return False
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtraError("pyarrow", "data")
    return True


class AreaTable:
    """The areas of the classes, a row for every class of every picture or video.

    Example:

    >>> table = AreaTable()
    >>> table.add("a.png", (1, 4), np.array([3, 1]), LabelSet.generic(2))
    >>> [row["share"] for row in table.rows]
    [0.75, 0.25]
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, source: object, size: tuple[int, ...], pixels: np.ndarray, label_set: LabelSet) -> None:
        """Adds a picture or video.

        Args:
            source: What it is called.
            size: `(height, width)` in pixels.
            pixels: How many pixels every class has, in a video over all frames, `(classes,)`.
            label_set: The names.
        """
        facts = {"source": str(source), "height": size[0], "width": size[1]}
        self.rows += [facts | area for area in class_areas(pixels, label_set)]

    def write(self, path: Path) -> None:
        """Writes the table, whole or not at all.

        Args:
            path: The file: Parquet if its name ends so, CSV otherwise.

        Raises:
            MissingExtraError: pyarrow, which Parquet needs, is not installed.
        """
        if is_parquet(path):
            self._write_parquet(path)
            return
        with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)

    def _write_parquet(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        columns = {name: [row[name] for row in self.rows] for name in _COLUMNS}
        types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
        schema = pa.schema([(name, types[kind]) for name, kind in zip(_COLUMNS, _KINDS, strict=True)])
        with atomic_file(path) as temporary:
            parquet.write_table(pa.table(columns, schema=schema), temporary)


class CocoAnnotations:
    """Label maps in COCO's format: an annotation for every class of every picture.

    The `category_id` of a class is its index plus 1, since COCO's begin with 1.

    Args:
        label_set: The names.
        polygons: Whether masks are polygons along the edges of pixels rather than RLE. COCO's polygons have no holes:
            an area with holes is cut into several.

    Raises:
        MissingExtraError: pycocotools is not installed, or rasterio, which polygons need.

    Example:

    ```python
    annotations = CocoAnnotations(model.label_set)
    annotations.add("a.png", labels)
    annotations.write(Path("annotations.json"))
    ```
    """

    def __init__(self, label_set: LabelSet, polygons: bool = False) -> None:
        try:
            from pycocotools import mask
        except ImportError as error:
            raise MissingExtraError("pycocotools", "data") from error
        self._outlines = None
        if polygons:
            from keras_segformer.raster.outlines import outlines

            self._outlines = outlines
        self._mask = mask
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._categories = [{"id": index + 1, "name": name} for index, name in enumerate(label_set.names)]

    def add(self, source: str | os.PathLike[str], labels: np.ndarray) -> None:
        """Adds a picture.

        Args:
            source: What it is called.
            labels: `(H, W)`, integer.
        """
        image = {"id": len(self._images) + 1, "file_name": os.fspath(source)}
        self._images.append(image | {"height": labels.shape[0], "width": labels.shape[1]})
        for index in np.unique(labels):
            encoded = self._mask.encode(np.asfortranarray(labels == index, dtype=np.uint8))
            annotation = {
                "id": len(self._annotations) + 1,
                "image_id": image["id"],
                "category_id": int(index) + 1,
                "area": int(self._mask.area(encoded)),
                "bbox": self._mask.toBbox(encoded).tolist(),
                "iscrowd": 0,
                "segmentation": self._segmentation(labels == index, encoded),
            }
            self._annotations.append(annotation)

    def _segmentation(self, mask: np.ndarray, encoded: dict[str, Any]) -> Any:
        if self._outlines is not None:
            return self._outlines(mask)
        return {"size": encoded["size"], "counts": encoded["counts"].decode("ascii")}

    def write(self, path: Path) -> None:
        """Writes the annotations as JSON, whole or not at all.

        Args:
            path: The file.
        """
        facts = {"images": self._images, "annotations": self._annotations, "categories": self._categories}
        write_json(path, facts)
