"""Pictures to label maps, wherever they are computed."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import time
from collections.abc import Sequence

from keras_segformer.errors import MissingExtraError
from keras_segformer.scale.models import LabelJob, ModelChoice
from keras_segformer.scale.pictures import find_pictures
from keras_segformer.scale.store import Results

RAY = "ray"
DIRECT = "DirectRunner"


@dataclasses.dataclass(frozen=True)
class LabelReport:
    """What was done.

    Args:
        pictures: How many pictures there are.
        before: How many of them had labels from runs before.
        labelled: How many pictures have labels in the end, those of runs before with other pictures included.
        failed: How many have none.
        seconds: How long it took.
        assumed: The pictures that were done of which something was assumed: the path, and the predicate of a sentence.
    """

    pictures: int
    before: int
    labelled: int
    failed: int
    seconds: float
    assumed: tuple[tuple[str, str], ...] = ()


def label_pictures(
    patterns: Sequence[str],
    output: str,
    model: ModelChoice,
    runner: str = DIRECT,
    workers: int = 1,
    options: Sequence[str] = (),
    bit_depth: int | None = None,
) -> LabelReport:
    """Labels pictures, but for those that have labels in the output.

    Args:
        patterns: As for `keras_segformer.scale.pictures.find_pictures`.
        output: A folder, or the address of one (`s3://`, `gs://`, `hdfs://`).
        model: The model.
        runner: `"DirectRunner"` for this machine, another runner of Apache Beam, or `"ray"`.
        workers: How many processes there are on this machine, or actors of Ray.
        options: Options of Beam's runner; for Ray the address of a cluster or nothing.
        bit_depth: As for `keras_segformer.images.load_image`.

    Returns:
        What was done.

    Raises:
        FileNotFoundError: There is no picture at one of the patterns.
        MissingExtraError: Apache Beam or Ray is not installed.
        RuntimeError: The runner has given up.
        ValueError: The output holds labels of another model, or the model's logits are not finite.

    Example:

    ```python
    label_pictures(["photos"], "labels", ModelChoice(preset="b0_camvid"), workers=2)
    ```
    """
    begin = time.perf_counter()
    _check_runner(runner, workers)
    paths = find_pictures(patterns)
    loaded = model.load()  # so that what is wrong with it is found before workers start
    results = Results(output)
    results.begin(model.name, loaded.sha256, loaded.label_set)
    finished = results.finished()
    left = [path for path in paths if path not in finished]
    if left:
        share = model if model.threads else dataclasses.replace(model, threads=_threads(runner, workers))
        job = LabelJob(output, results.write_list(left), share, loaded.label_set, loaded.sha256, bit_depth)
        _run(job, left, runner, workers, options)
    labelled, failed = results.merge()
    seconds = time.perf_counter() - begin
    return LabelReport(
        len(paths), len(paths) - len(left), labelled, failed, seconds, tuple(results.assumed(frozenset(left)))
    )


def _check_runner(runner: str, workers: int) -> None:
    if runner != RAY and not runner.endswith("Runner"):
        raise ValueError(f"there is no runner {runner!r}; name DirectRunner, another runner of Apache Beam, or ray")
    module, extra = ("ray", "ray") if runner == RAY else ("apache_beam", "beam")
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(module, extra)
    if workers != 1 and runner not in (DIRECT, RAY):
        raise ValueError(f"{runner} has a number of workers of its own; leave --workers out, and give it in --options")


def _threads(runner: str, workers: int) -> int | None:
    """The share of every worker in the processor of this machine; those of other machines take theirs."""
    return max(1, (os.cpu_count() or 1) // workers) if runner in (DIRECT, RAY) else None


def _run(job: LabelJob, paths: list[str], runner: str, workers: int, options: Sequence[str]) -> None:
    if runner == RAY:
        from keras_segformer.scale.ray import run_dataset

        run_dataset(job, paths, workers, *options)
    elif runner == DIRECT:
        from keras_segformer.scale.attempts import run_direct

        run_direct(job, paths, workers, options)
    else:
        from keras_segformer.scale.beam import run_pipeline

        run_pipeline(job, [f"--runner={runner}", *options])
