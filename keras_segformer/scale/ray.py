"""Label maps by Ray Data."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_segformer.errors import InvalidImageError, MissingExtraError
from keras_segformer.scale.models import LabelJob, ModelChoice

_BATCH = 64


class LabelBatch:
    """Labels batches of a Ray data set, by `map_batches`: an actor of this class loads its model once.

    Batches have a column `path` of pictures, as `keras_segformer.images.load_image` reads them or at addresses
    (`s3://`, `gs://`, `hdfs://`). They get the columns `labels`, arrays `(H, W)`, int32, those of `SegFormer.segment`;
    `assumed`, what was assumed to read a picture, empty for most; and `reason`, which is empty but for pictures without
    labels, whose array is empty.

    Args:
        model: The model.
        bit_depth: As for `keras_segformer.images.load_image`.

    Example:

    ```python
    pictures = ray.data.from_items([{"path": "a.jpg"}, {"path": "b.jpg"}])
    actors = {"fn_constructor_args": [ModelChoice(preset="b0_camvid")], "num_cpus": 1}
    labelled = pictures.map_batches(LabelBatch, concurrency=2, batch_size=8, **actors)
    ```
    """

    def __init__(self, model: ModelChoice, bit_depth: int | None = None) -> None:
        self._model, self._bit_depth = model.load(), bit_depth

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """Labels a batch.

        Args:
            batch: Its columns.

        Returns:
            The same and three more.

        Raises:
            ValueError: The logits are not finite.
        """
        found, assumed = zip(*(self.label(str(path)) for path in batch["path"]), strict=True)
        labels = np.empty(len(found), object)
        labels[:] = [np.zeros((0, 0), np.int32) if isinstance(each, Exception) else each for each in found]
        reasons = [str(each) if isinstance(each, Exception) else "" for each in found]
        texts = {"assumed": list(map("; ".join, assumed)), "reason": reasons}
        return batch | {"labels": labels} | {name: np.array(values, object) for name, values in texts.items()}

    def label(self, path: str) -> tuple[np.ndarray | Exception, tuple[str, ...]]:
        """Labels one picture.

        Args:
            path: Its path or address.

        Returns:
            `(H, W)`, or why it has no labels; and what was assumed to read it.

        Raises:
            ValueError: The logits are not finite.
        """
        from keras_segformer.scale.pictures import read_picture

        try:
            picture = read_picture(path, self._bit_depth)
        except (InvalidImageError, OSError) as error:
            return error, ()
        return self._model.segment([picture.pixels])[0], picture.assumptions


class _LabelAndWrite:
    """Labels batches and writes the results, so that no label map travels."""

    def __init__(self, job: LabelJob) -> None:
        self._job, self._label = job, LabelBatch(job.model, job.bit_depth).label

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        from keras_segformer.scale.store import Results, ResultWriter

        writer = ResultWriter(Results(self._job.output), self._job.label_set)
        for path in map(str, batch["path"]):
            labels, assumptions = self._label(path)
            writer.add(path, labels, self._job.sha256, assumptions)
        writer.flush()
        return {"path": batch["path"]}


def run_dataset(job: LabelJob, paths: list[str], workers: int, address: str | None = None) -> None:
    """Labels pictures, and returns when all are done. Ray starts actors that are lost again.

    Args:
        job: What is to be done.
        paths: The pictures.
        workers: How many actors there are, each with a GPU of its own where the cluster has any.
        address: That of the cluster; `None` for one on this machine.

    Raises:
        MissingExtraError: Ray is not installed.
        RuntimeError: Ray has given up.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    if not ray.is_initialized():
        ray.init(address, log_to_driver=False, logging_level="error", include_dashboard=False)
    resources = {"num_gpus": 1} if ray.cluster_resources().get("GPU") else {"num_cpus": 1}
    batch = max(1, min(_BATCH, len(paths) // (4 * workers)))
    pictures = ray.data.from_items([{"path": path} for path in paths])
    done = pictures.map_batches(
        _LabelAndWrite,
        fn_constructor_args=[job],
        batch_size=batch,
        compute=ray.data.ActorPoolStrategy(size=workers),
        **resources,
    )
    done.materialize()
