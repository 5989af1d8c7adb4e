"""From a video to the videos of its segmentation."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.errors import InvalidVideoError
from keras_segformer.video.flicker import FlickerMeter
from keras_segformer.video.overlap import overlap
from keras_segformer.video.reader import Frame, VideoReader
from keras_segformer.video.writer import VideoWriter

_MAX_GREY = 256


@dataclasses.dataclass(frozen=True)
class VideoReport:
    """What was done with a video.

    Args:
        frames: How many frames were segmented.
        seconds: How long that took.
        skipped: How many frames of a live source were left out, because they came too fast.
        broken: The frames that could not be decoded, each as the end of a sentence about the video.
        flicker: The share of still pixels whose label changed from one frame to the next; `None` where none was still.
        pixels: How many pixels of all frames every class has, `(classes,)`.
        size: `(height, width)` of the frames in pixels.
        interrupted: Whether a live source was ended by the user.
    """

    frames: int
    seconds: float
    skipped: int
    broken: tuple[str, ...]
    flicker: float | None
    pixels: np.ndarray
    size: tuple[int, int]
    interrupted: bool


def segment_video(
    reader: VideoReader,
    segment: Callable[[np.ndarray], np.ndarray],
    draw: Callable[[np.ndarray, np.ndarray], np.ndarray],
    num_classes: int,
    picture: Path,
    mask: Path | None = None,
    live: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> VideoReport:
    """Segments a video; decoding, the network and encoding run at the same time.

    Args:
        reader: The video.
        segment: Finds the labels `(H, W)` of the pixels `(H, W, 3)`, uint8, of a frame.
        draw: Makes a picture, uint8 RGB, of pixels and labels; all of one size.
        num_classes: The number of labels.
        picture: The file of the pictures, `.mp4`, with the sound of the video.
        mask: The file of the label maps, `.mkv`, grey values that are class indices; `None` for none.
        live: Whether frames that come too fast are left out, and whether an interrupt is the usual end.
        progress: Called after every frame.

    Returns:
        What was done.

    Raises:
        InvalidVideoError: There is no frame to read, or FFmpeg lacks an encoder.
        OSError: A disk is full.
        ValueError: The logits are not finite.

    Example:

    ```python
    with VideoReader(video_source("street.mp4")) as reader:
        draw = functools.partial(overlay, label_set=model.label_set)
        segment_video(reader, model.segment, draw, model.label_set.num_classes, Path("out.mp4"))
    ```
    """
    results = _Results(reader, draw, num_classes, picture, mask, progress)
    begin = time.perf_counter()
    skipped, interrupted = 0, False

    def work(item: Any) -> Any:
        return (item, segment(item.pixels)) if isinstance(item, Frame) else (item, None)

    with results:
        try:
            skipped = overlap(reader, work, results.add, may_skip=lambda item: live and isinstance(item, Frame))
        except KeyboardInterrupt:
            if not live:
                raise
            interrupted = True
    if not results.frames:
        raise InvalidVideoError("no frame could be read; check --start and --stop, or whether the video is damaged")
    return VideoReport(
        frames=results.frames,
        seconds=time.perf_counter() - begin,
        skipped=skipped,
        broken=tuple(reader.broken),
        flicker=results.flicker.share,
        pixels=results.pixels,
        size=results.size,
        interrupted=interrupted,
    )


class _Results:
    """The output files, opened at the first frame, and figures of all frames."""

    def __init__(
        self,
        reader: VideoReader,
        draw: Callable[[np.ndarray, np.ndarray], np.ndarray],
        num_classes: int,
        picture: Path,
        mask: Path | None,
        progress: Callable[[], None],
    ) -> None:
        self._reader, self._draw, self._progress = reader, draw, progress
        self._picture_path, self._mask_path = picture, mask
        self._dtype = np.uint8 if num_classes <= _MAX_GREY else np.uint16
        self._writers: list[VideoWriter] = []
        self._sound: list[Any] = []  # that comes before the first frame
        self._files = contextlib.ExitStack()
        self.frames = 0
        self.flicker = FlickerMeter()
        self.pixels = np.zeros(num_classes, np.int64)
        self.size = (0, 0)

    def __enter__(self) -> _Results:
        return self

    def __exit__(self, *error: Any) -> None:
        self._files.__exit__(*error)

    def add(self, result: tuple[Any, np.ndarray | None]) -> None:
        item, labels = result
        if labels is None:
            self._add_sound(item)
            return
        if not self._writers:
            self._open()
        picture, *mask = self._writers
        picture.write(self._draw(item.pixels, labels), item.pts)
        for writer in mask:
            writer.write(labels.astype(self._dtype), item.pts)
        for packet in self._sound:
            picture.write_sound(packet)
        self._sound.clear()
        self.frames += 1
        self.size = labels.shape
        self.flicker.add(item.pixels, labels)
        self.pixels += np.bincount(labels.ravel(), minlength=len(self.pixels))
        self._progress()

    def _open(self) -> None:
        reader = self._reader
        for path, sound in ((self._picture_path, reader.sound), (self._mask_path, None)):
            if path is not None:
                writer = VideoWriter(path, reader.time_base, reader.rate, reader.pixel_aspect, sound)
                self._writers.append(self._files.enter_context(writer))

    def _add_sound(self, packet: Any) -> None:
        if self.frames:
            self._writers[0].write_sound(packet)
        else:
            self._sound.append(packet)
