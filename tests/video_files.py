"""Small videos, encoded by PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

RATE = 10


def pictures(count: int = 10, size: tuple[int, int] = (48, 64)) -> list[np.ndarray]:
    """A bright square that moves over a dark gradient, `(H, W, 3)`, uint8."""
    height, width = size
    ground = np.broadcast_to(np.linspace(0, 120, width, dtype=np.uint8)[:, None], (height, width, 3))
    frames = []
    for index in range(count):
        frame = ground.copy()
        frame[8:24, 4 + 2 * index : 20 + 2 * index] = (230, 60, 20)
        frames.append(frame)
    return frames


def write_video(
    path: Path,
    frames: list[np.ndarray] | None = None,
    rate: int = RATE,
    rotation: int = 0,
    sound: str | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> list[np.ndarray]:
    """Writes a video.

    Args:
        path: The file.
        frames: Its pictures, by default those of `pictures`.
        rate: Frames a second.
        rotation: Degrees counter-clockwise by which players turn it.
        sound: The codec of a tone, as long as the video; `None` for silence.
        codec: The codec of the pictures.
        options: Options of that codec.

    Returns:
        The pictures.
    """
    import av

    frames = pictures() if frames is None else frames
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=rate, options=options or {"crf": "10"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        audio: Any = container.add_stream(sound, rate=16_000, layout="mono") if sound else None
        for picture in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            for frame in tone(len(frames) / rate):
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return frames


def tone(seconds: float) -> list[Any]:
    """Frames of sound: 440 Hz, mono, 16 kHz."""
    import av

    times = np.arange(round(16_000 * seconds)) / 16_000
    samples = (8_000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    frames = []
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
        frames.append(frame)
    return frames


def read_video(path: Path, format: str = "rgb24") -> list[np.ndarray]:
    """The pictures of a video as they are stored."""
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=format) for frame in container.decode(video=0)]
