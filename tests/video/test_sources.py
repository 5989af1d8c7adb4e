"""Which arguments are videos."""

from __future__ import annotations

import pytest

from keras_segformer.video.sources import video_source


@pytest.mark.parametrize(
    ("argument", "stem", "live"),
    [
        ("street.MP4", "street", False),
        ("a.b/street.part.mkv", "street.part", False),
        ("https://example.org/videos/street.webm?token=a/b", "street", False),
        ("http://example.org", "example.org", False),
        ("rtsp://user@10.0.0.2:554/live stream", "live_stream", True),
    ],
)
def test_videos(argument, stem, live):
    source = video_source(argument)
    assert (source.name, source.address, source.stem, source.live) == (argument, argument, stem, live)


def test_a_camera():
    source = video_source("camera:1")
    assert (source.stem, source.live) == ("camera_1", True)
    assert "1" in source.address
    assert source.format


@pytest.mark.parametrize("argument", ["street.jpg", "folder", "*.mp4", "camera:", "camera:x", "C:/a.png", "ftp://a/b"])
def test_everything_else(argument):
    assert video_source(argument) is None
