"""Label maps by Apache Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_segformer.errors import InvalidImageError, MissingExtraError
from keras_segformer.scale.models import LabelJob, LoadedModel, ModelChoice

try:
    import apache_beam as beam
    from apache_beam import DoFn
    from apache_beam.ml.inference.base import KeyedModelHandler, ModelHandler, PredictionResult, RunInference
    from apache_beam.options.pipeline_options import PipelineOptions
except ImportError:  # the classes can be looked at without
    beam = None
    DoFn = ModelHandler = object

_UNREADABLE = "unreadable"


class SegmentationModelHandler(ModelHandler):
    """Segments pictures in Apache Beam's `RunInference`.

    It takes arrays `(H, W, 3)`, uint8, RGB, of any sizes, and gives a `PredictionResult` for each, whose `inference`
    is the labels `(H, W)` that `SegFormer.segment` finds, or the `InvalidImageError` that says why there are none, and
    whose `model_id` is the model's SHA-256. Put it into Beam's `KeyedModelHandler` for pairs of names and pictures.

    Args:
        model: The model, which every worker process loads once.
        max_batch_size: How many pictures are given to it together at most.

    Raises:
        MissingExtraError: Apache Beam is not installed.

    Example:

    ```python
    handler = SegmentationModelHandler(ModelChoice(preset="b0_camvid"))
    with beam.Pipeline() as pipeline:
        pictures = pipeline | beam.Create(["a.jpg", "b.jpg"]) | beam.Map(load_image)
        labels = pictures | RunInference(handler) | beam.Map(lambda result: result.inference)
    ```
    """

    def __init__(self, model: ModelChoice, max_batch_size: int = 8) -> None:
        if beam is None:
            raise MissingExtraError("apache-beam", "beam")
        super().__init__()
        self._choice, self._max_batch_size = model, max_batch_size

    def load_model(self) -> LoadedModel:
        """Loads the model; Beam calls it once in every process."""
        return self._choice.load()

    def run_inference(
        self, batch: Sequence[np.ndarray], model: LoadedModel, inference_args: dict[str, Any] | None = None
    ) -> Iterable[Any]:
        """Segments a batch; Beam calls it.

        Args:
            batch: The pictures.
            model: What `load_model` returned.
            inference_args: Not used.

        Returns:
            A `PredictionResult` for every picture.

        Raises:
            ValueError: The logits are not finite.
        """
        return [
            PredictionResult(picture, labels, model.sha256)
            for picture, labels in zip(batch, model.segment(batch), strict=True)
        ]

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """Returns what Beam is to know about batches."""
        return {"min_batch_size": 1, "max_batch_size": self._max_batch_size}

    def get_num_bytes(self, batch: Sequence[np.ndarray]) -> int:
        """Returns how many bytes a batch has, for Beam's metrics."""
        return sum(picture.nbytes for picture in batch)

    def get_metrics_namespace(self) -> str:
        """Returns what Beam's metrics are called."""
        return "keras_segformer"


def run_pipeline(job: LabelJob, options: Sequence[str]) -> None:
    """Labels pictures, and returns when all are done.

    Args:
        job: What is to be done.
        options: Options of Beam, such as `["--runner=DataflowRunner", "--project=p"]`.

    Raises:
        MissingExtraError: Apache Beam is not installed.
        RuntimeError: Beam has given up.
    """
    handler = SegmentationModelHandler(job.model)
    with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
        read = (
            pipeline
            | "Name the list" >> beam.Create([job.to_do])
            | "List" >> beam.FlatMap(functools.partial(_listed, job.output))
            | "Share out" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(_Read(job.bit_depth)).with_outputs(_UNREADABLE, main="pictures")
        )
        _ = read.pictures | "Segment" >> RunInference(KeyedModelHandler(handler)) | "Write" >> beam.ParDo(_Write(job))
        _ = read[_UNREADABLE] | "Write failures" >> beam.ParDo(_Write(job))


def _listed(output: str, name: str) -> list[str]:
    from keras_segformer.scale.store import Results

    return Results(output).read_list(name)


class _Read(DoFn):
    """From addresses to pictures, with the address and what was assumed as their keys.

    Those of unreadable ones go aside, with the reason.
    """

    def __init__(self, bit_depth: int | None) -> None:
        self._bit_depth = bit_depth

    def process(self, address: str) -> Iterator[Any]:
        from keras_segformer.scale.pictures import read_picture

        try:
            picture = read_picture(address, self._bit_depth)
            yield (address, picture.assumptions), picture.pixels
        except (InvalidImageError, OSError) as error:
            yield beam.pvalue.TaggedOutput(_UNREADABLE, ((address, ()), InvalidImageError(str(error))))


class _Write(DoFn):
    """Writes label maps and rows."""

    def __init__(self, job: LabelJob) -> None:
        self._job = job
        self._writer: Any = None

    def start_bundle(self) -> None:
        from keras_segformer.scale.store import Results, ResultWriter

        self._writer = ResultWriter(Results(self._job.output), self._job.label_set)

    def process(self, item: tuple[tuple[str, tuple[str, ...]], Any]) -> None:
        (address, assumptions), result = item
        labels = result if isinstance(result, Exception) else result.inference
        self._writer.add(address, labels, self._job.sha256, assumptions)

    def finish_bundle(self) -> None:
        self._writer.flush()
