"""Frames of a video, upright and in order, and the sound between them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from keras_segformer.errors import InvalidVideoError, MissingExtraError
from keras_segformer.video.sources import VideoSource

try:
    import av
except ImportError as error:
    raise MissingExtraError("PyAV", "video") from error

_TIMEOUT = 20.0  # seconds without an answer from a server
_DEFAULT_RATE = Fraction(30)  # where the file states none
_SOUND_BEHIND = 5.0  # seconds by which sound may lie behind the frames in a file
_TOLERANCE = 1e-6  # seconds, of sums of floats
_CORRUPT = "its data are damaged"


@dataclasses.dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Args:
        pixels: `(H, W, 3)`, uint8, RGB, upright.
        pts: When it is shown, in units of the reader's `time_base` since the beginning of the part that is read.
    """

    pixels: np.ndarray
    pts: int


class VideoReader:
    """Decodes a video. A context manager, which closes it.

    Args:
        source: The video.
        start: Seconds from its beginning that are left out.
        stop: Seconds from its beginning at which reading ends; `None` for its end.
        every: Of so many frames the first is kept.

    Attributes:
        time_base: The unit of `Frame.pts` in seconds.
        rate: Frames a second that are kept, on average.
        pixel_aspect: Width of a pixel by its height; 1 where it is not stated.
        sound: The stream of the sound; `None` if there is none.
        total: How many frames there are about; `None` where it is not known.
        broken: The frames that could not be decoded, each as the end of a sentence about the video.

    Raises:
        InvalidVideoError: It cannot be opened, or has no moving pictures.

    Example:

    ```python
    with VideoReader(video_source("street.mp4")) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
    ```
    """

    def __init__(self, source: VideoSource, start: float = 0.0, stop: float | None = None, every: int = 1) -> None:
        self._source, self._start, self._stop, self._every = source, start, stop, every
        self._container = _open(source)
        if not self._container.streams.video:
            self._container.close()
            raise InvalidVideoError(f"'{source.name}' has no moving pictures; name a file with a video stream")
        self._stream = self._container.streams.video[0]
        self.sound = self._container.streams.audio[0] if self._container.streams.audio else None
        self.time_base: Fraction = self._stream.time_base or Fraction(1, 90_000)
        own_rate = self._stream.average_rate or self._stream.guessed_rate or _DEFAULT_RATE
        self._step = max(1, round(1 / own_rate / self.time_base))  # of a frame, in units of the time base
        self.rate: Fraction = own_rate / every
        self.pixel_aspect: Fraction = self._stream.sample_aspect_ratio or Fraction(1)
        self._size: tuple[int, int] | None = None
        self.total = self._count()
        self.broken: list[str] = []

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: Any) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame | av.Packet]:
        """Yields frames and packets of sound in the order of the file; both begin at 0 where reading starts."""
        begin = self._first_pts()
        if self._start:
            # Streams cannot be sought in: there the frames before the start are decoded and left out.
            with contextlib.suppress(av.FFmpegError):
                self._container.seek(round(self._start * av.time_base) + (self._container.start_time or 0))
        kept = 0
        ended_at: float | None = None
        expected = begin
        for packet in self._packets():
            if packet.stream is self.sound:
                time = self._seconds(packet)
                if time is not None and time >= 0 and not self._is_after(time):
                    yield self._shifted(packet)
                if ended_at is not None and (time is None or self._is_after(time)):
                    return
                continue
            if ended_at is not None:
                time = self._seconds(packet)
                if self.sound is None or time is None or time > ended_at + _SOUND_BEHIND:
                    return
                continue
            for frame in self._decode(packet, expected):
                pts = expected if frame.pts is None else frame.pts
                expected = pts + self._step
                seconds = float((pts - begin) * self.time_base)
                if self._is_after(seconds):
                    ended_at = seconds
                    break
                if pts < begin:
                    continue
                kept += 1
                if (kept - 1) % self._every == 0:
                    yield Frame(self._upright(frame), pts - begin)

    def _packets(self) -> Iterator[av.Packet]:
        streams = [stream for stream in (self._stream, self.sound) if stream is not None]
        try:
            yield from self._container.demux(*streams)
        except av.FFmpegError as error:
            self.broken.append(f"ends early: {_reason(error)}")

    def _decode(self, packet: av.Packet, expected: int) -> Iterator[av.VideoFrame]:
        """The frames of a packet; broken ones are noted and left out."""
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            at = expected if packet.pts is None else packet.pts
            self._note_broken(at, _reason(error))
            return
        for frame in frames:
            if frame.is_corrupt:
                self._note_broken(expected if frame.pts is None else frame.pts, _CORRUPT)
            yield frame

    def _note_broken(self, pts: int, reason: str) -> None:
        seconds = float((pts - (self._stream.start_time or 0)) * self.time_base)
        self.broken.append(f"has a broken frame at {seconds:.2f} s: {reason}")

    def _first_pts(self) -> int:
        return (self._stream.start_time or 0) + round(self._start / self.time_base)

    def _seconds(self, packet: av.Packet) -> float | None:
        """Seconds from the start of reading to a packet; `None` for the empty one at the end."""
        at = packet.pts if packet.pts is not None else packet.dts
        return None if at is None else float(at * packet.time_base - self._first_pts() * self.time_base)

    def _is_after(self, seconds: float) -> bool:
        return self._stop is not None and seconds >= self._stop - self._start - _TOLERANCE

    def _shifted(self, packet: av.Packet) -> av.Packet:
        shift = round(self._first_pts() * self.time_base / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        return packet

    def _upright(self, frame: av.VideoFrame) -> np.ndarray:
        """The pixels, turned as the file says; a stream that changes its size is brought back to the first one."""
        self._size = self._size or (frame.width, frame.height)
        width, height = self._size
        pixels = frame.to_ndarray(format="rgb24", width=width, height=height)
        # The rotation is in degrees counter-clockwise, as are the turns of NumPy.
        turns = round(frame.rotation / 90) % 4
        if turns % 2 and self.pixel_aspect != 1:
            self.pixel_aspect = 1 / (self._stream.sample_aspect_ratio or Fraction(1))
        return np.ascontiguousarray(np.rot90(pixels, turns))

    def _count(self) -> int | None:
        """About how many frames are kept."""
        if self._source.live:
            return None
        duration = self._container.duration
        seconds = duration / av.time_base if duration else None
        if seconds is None and self._stop is None:
            return None
        end = min(each for each in (seconds, self._stop) if each is not None)
        return max(1, round((end - self._start) * float(self.rate)))


def _open(source: VideoSource) -> Any:
    try:
        return av.open(source.address, format=source.format, timeout=(_TIMEOUT, _TIMEOUT))
    except (av.FFmpegError, ValueError) as error:
        if source.format:
            raise InvalidVideoError(
                f"'{source.name}' cannot be opened ({_reason(error)}); check that the camera is connected, that no "
                "other program uses it and that you may read it, or choose another number"
            ) from error
        raise InvalidVideoError(
            f"'{source.name}' cannot be read as a video ({_reason(error)}); check the path or address, or save it "
            "again as MP4 or MKV"
        ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
