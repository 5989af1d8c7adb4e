"""Videos that stay playable when the program is killed while it writes them."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from keras_segformer.errors import InvalidVideoError
from keras_segformer.files import named_disk_errors

_COPIED_SOUND = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
"""Codecs of sound that players find in an MP4 file; others are encoded anew."""

_SOUND_RATE = 48_000  # of sound that is encoded anew

_ITU709 = 1  # FFmpeg's number of BT.709 as matrix, primaries and transfer function
_LIMITED_RANGE = 1


class VideoWriter:
    """Encodes frames as they come.

    Until it is complete, the file is called `NAME.part.mp4`: what a killed run leaves behind can be played and is not
    mistaken for a whole video.

    Args:
        path: The file, `.mp4` for pictures as H.264 or `.mkv` for label maps as FFV1, which loses nothing.
        time_base: Unit of the times of frames in seconds.
        rate: Frames a second, on average.
        pixel_aspect: Width of a pixel by its height.
        sound: The stream that packets of sound come from; `None` for a silent video.

    Raises:
        InvalidVideoError: FFmpeg lacks the encoder.
        OSError: The file cannot be written.

    Example:

    ```python
    with VideoWriter(Path("out.mp4"), Fraction(1, 25), Fraction(25)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), pts=0)
    ```
    """

    def __init__(
        self,
        path: Path,
        time_base: Fraction,
        rate: Fraction,
        pixel_aspect: Fraction = Fraction(1),
        sound: Any = None,
    ) -> None:
        self.path, self.partial_path = path, path.with_name(f"{path.stem}.part{path.suffix}")
        self._time_base, self._rate, self._pixel_aspect, self._sound = time_base, rate, pixel_aspect, sound
        self._stream: Any = None
        self._sound_stream: Any = None
        self._last_pts = -1
        path.parent.mkdir(parents=True, exist_ok=True)
        self._resampler: Any = None
        self._container = self._open()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self.close()
            return
        with contextlib.suppress(av.FFmpegError, OSError):  # the error that ends the body counts
            self.close(complete=False)

    def write(self, pixels: np.ndarray, pts: int) -> None:
        """Encodes a frame.

        Args:
            pixels: `(H, W, 3)`, uint8, RGB, or label maps `(H, W)`, uint8 or uint16; all of one size.
            pts: Its time.

        Raises:
            OSError: The disk is full.
        """
        if self._stream is None:
            self._add_streams(pixels)
        # Encoders refuse times that do not grow, which broken files have.
        self._last_pts = max(pts, self._last_pts + 1)
        frame = self._encodable(pixels)
        frame.pts, frame.time_base = self._last_pts, self._time_base
        self._mux(self._stream.encode(frame))

    def write_sound(self, packet: av.Packet) -> None:
        """Adds a packet of the sound, after the first frame, whose size the header of the file needs.

        Args:
            packet: As the reader yields it.

        Raises:
            OSError: The disk is full.
        """
        if self._sound_stream is None:
            return
        if self._resampler is None:
            packet.stream = self._sound_stream
            self._mux([packet])
        else:
            for frame in packet.decode():
                self._encode_sound(frame)

    def close(self, complete: bool = True) -> None:
        """Ends the video.

        Args:
            complete: Whether it takes its final name.

        Raises:
            OSError: The disk is full.
        """
        if self._container is None:
            return
        try:
            if self._stream is not None:
                self._mux(self._stream.encode(None))
            if self._resampler is not None:
                self._encode_sound(None)
                self._mux(self._sound_stream.encode(None))
        finally:
            container, self._container = self._container, None
            with named_disk_errors(self.path):
                container.close()
        if self._stream is None:
            self.partial_path.unlink(missing_ok=True)
        elif complete:
            self.partial_path.replace(self.path)

    def _open(self) -> Any:
        # Every second ends a fragment or cluster, up to which a file that is cut off can be played.
        if self.path.suffix == ".mkv":
            options = {"cluster_time_limit": "1000", "flush_packets": "1"}
        else:
            options = {
                "movflags": "hybrid_fragmented+frag_keyframe",
                "frag_duration": "1000000",
                "flush_packets": "1",
            }
        with named_disk_errors(self.path):
            return av.open(str(self.partial_path), "w", container_options=options)

    def _add_streams(self, pixels: np.ndarray) -> None:
        is_labels = pixels.ndim == 2
        codec = "ffv1" if is_labels else "libx264"
        if codec not in av.codecs_available:
            raise InvalidVideoError(
                f"this build of FFmpeg has no encoder {codec}; install PyAV's own with "
                "`pip install --force-reinstall --only-binary=av av`"
            )
        # Without B-frames, whose reordering would delay the first frame in a fragmented file.
        options = {} if is_labels else {"preset": "veryfast", "crf": "20", "bf": "0"}
        self._stream = stream = self._container.add_stream(codec, rate=self._rate, options=options)
        height, width = pixels.shape[:2]
        if is_labels:
            stream.pix_fmt = "gray" if pixels.dtype == np.uint8 else "gray16le"
            stream.codec_context.color_range = 2  # all values
        else:
            height, width = height + height % 2, width + width % 2
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = _ITU709
            context.color_range = _LIMITED_RANGE
            context.gop_size = max(1, round(2 * self._rate))
        stream.width, stream.height = width, height
        stream.codec_context.time_base = self._time_base
        stream.codec_context.sample_aspect_ratio = self._pixel_aspect
        if self._sound is not None:
            self._add_sound()

    def _add_sound(self) -> None:
        if self._sound.codec_context.name in _COPIED_SOUND:
            self._sound_stream = self._container.add_stream_from_template(self._sound)
        else:
            self._sound_stream = self._container.add_stream("aac", rate=_SOUND_RATE, layout="stereo")
            self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=_SOUND_RATE)

    def _encode_sound(self, frame: av.AudioFrame | None) -> None:
        for resampled in self._resampler.resample(frame):
            self._mux(self._sound_stream.encode(resampled))

    def _encodable(self, pixels: np.ndarray) -> av.VideoFrame:
        if pixels.ndim == 2:
            return av.VideoFrame.from_ndarray(pixels, format="gray" if pixels.dtype == np.uint8 else "gray16le")
        # H.264 halves the resolution of colours: odd sides get a row or column more.
        height, width = pixels.shape[:2]
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        return frame.reformat(format="yuv420p", dst_colorspace="ITU709")

    def _mux(self, packets: list[av.Packet]) -> None:
        with named_disk_errors(self.path):
            self._container.mux(packets)
