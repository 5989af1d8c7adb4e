"""Which arguments are videos, cameras and addresses."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

VIDEO_SUFFIXES = frozenset(
    {
        *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
        *(".mts", ".mxf", ".ogv", ".ts", ".webm", ".wmv", ".y4m"),
    }
)
"""Suffixes of files that are taken for videos, in lower case and with their dot."""

_CAMERA = re.compile(r"camera:([0-9]{1,3})")
_SCHEMES = ("http", "https", "rtmp", "rtsp", "rtsps", "udp", "tcp", "srt")
# FFmpeg's device for cameras, and what it calls the camera of a number.
_CAMERA_DEVICES = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}


@dataclasses.dataclass(frozen=True)
class VideoSource:
    """Where a video comes from.

    Args:
        name: What messages call it: the argument.
        address: What FFmpeg opens.
        stem: The beginning of the names of its results.
        format: FFmpeg's name of the input format; `None` for what the content says.
        live: Whether frames come at their own pace, so that those that come too fast must be left out.
    """

    name: str
    address: str
    stem: str
    format: str | None = None
    live: bool = False

    def __fspath__(self) -> str:
        return self.address


def video_source(argument: str | os.PathLike[str]) -> VideoSource | None:
    """Reads an argument that stands for one video.

    Args:
        argument: The path of a video file, the address of a video or stream, or `camera:0`.

    Returns:
        The source, or `None` where the argument is something else. Nothing is opened.

    Example:

    >>> video_source("camera:0").stem, video_source("https://example.org/a/street.mp4").stem
    ('camera_0', 'street')
    """
    text = os.fspath(argument)
    if camera := _CAMERA.fullmatch(text):
        format, address = _CAMERA_DEVICES.get(sys.platform, _CAMERA_DEVICES["linux"])
        return VideoSource(text, address.format(camera[1]), f"camera_{camera[1]}", format, live=True)
    if is_address(text):
        parts = urlsplit(text)
        stem = re.sub(r"[^\w.-]", "_", Path(parts.path).stem or parts.hostname or "stream")
        return VideoSource(text, text, stem, live=parts.scheme not in ("http", "https"))
    path = Path(text)
    if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir() and not set("*?[") & set(text):
        return VideoSource(text, text, path.stem)
    return None


def is_address(argument: str) -> bool:
    """Tells addresses of videos and pictures from paths.

    Example:

    >>> is_address("rtsp://10.0.0.2/live"), is_address("C:/videos/a.mp4")
    (True, False)
    """
    scheme, separator, _ = argument.partition("://")
    return bool(separator) and scheme.lower() in _SCHEMES
