"""The videos of `keras-segformer predict`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from keras_segformer.cli.each_source import work_on_each
from keras_segformer.cli.outputs import Outputs, class_areas, write_json
from keras_segformer.cli.predict import Model, label_set_of, labelling
from keras_segformer.cli.result_tables import AreaTable
from keras_segformer.label_sets import LabelSet
from keras_segformer.progress_console import progress_console
from keras_segformer.video.pipeline import VideoReport, segment_video
from keras_segformer.video.reader import VideoReader
from keras_segformer.video.sources import VideoSource
from keras_segformer.video.steady import SteadySegmenter
from keras_segformer.visualization import overlay


def segment_videos(
    model: Model,
    sources: Sequence[VideoSource],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
    areas: AreaTable | None,
) -> int:
    """Segments the videos one by one, and returns how many failed or have a frame that could not be decoded."""
    label_set = label_set_of(model)

    def work(source: VideoSource, outputs_of_source: Outputs) -> bool:
        report = _segment_source(model, label_set, source, outputs_of_source, args)
        if areas:
            areas.add(source.name, report.size, report.pixels, label_set)
        if outputs_of_source.areas:
            write_json(outputs_of_source.areas, _facts(report, source, label_set, args))
        _print_report(report, source, outputs_of_source)
        return not report.broken

    return work_on_each(work, sources, outputs, args)


def _segment_source(
    model: Model, label_set: LabelSet, source: VideoSource, outputs: Outputs, args: argparse.Namespace
) -> VideoReport:
    segment = labelling(model, args)
    if args.steady:
        segment = SteadySegmenter(model, args.steady, args.size, args.antialias)  # remembers this video's frames
    with VideoReader(source, args.start, args.stop, args.every) as reader, _frame_bar() as progress:
        task = progress.add_task("Segmenting", total=reader.total)
        return segment_video(
            reader,
            segment,
            _drawing(label_set, args),
            label_set.num_classes,
            outputs.picture,
            outputs.mask,
            live=source.live,
            progress=lambda: progress.advance(task),
        )


def _drawing(label_set: LabelSet, args: argparse.Namespace) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def draw(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
        painted = overlay(pixels, labels, label_set, args.opacity, args.palette)
        return np.hstack([pixels, painted]) if args.beside else painted

    return draw


def _facts(report: VideoReport, source: VideoSource, label_set: LabelSet, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "video": source.name,
        "height": report.size[0],
        "width": report.size[1],
        "preset": str(args.model or args.preset),
        "frames": report.frames,
        "skipped_frames": report.skipped,
        "broken": list(report.broken),
        "flicker": report.flicker,
        "classes": class_areas(report.pixels, label_set),
    }


def _print_report(report: VideoReport, source: VideoSource, outputs: Outputs) -> None:
    for reason in report.broken:
        print(f"broken: '{source.name}' {reason}", file=sys.stderr)
    if report.broken:
        count = len(report.broken)
        print(f"'{source.name}' is damaged in {count} {'place' if count == 1 else 'places'}", file=sys.stderr)
    rate = report.frames / report.seconds
    frames = f"{report.frames} {'frame' if report.frames == 1 else 'frames'}"
    print(f"{frames} segmented into {outputs.picture} in {report.seconds:.1f} s ({rate:.1f} frames/s)")
    if report.skipped:
        print(f"{report.skipped} frames came too fast and were left out")
    if report.flicker is not None:
        print(f"flicker: {report.flicker:.2%} of the still pixels change their label from one frame to the next")


class _Rate(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} frames/s")


def _frame_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    return Progress(*columns, console=progress_console())
