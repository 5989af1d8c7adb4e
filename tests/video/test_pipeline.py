"""Videos in, videos of their segmentation out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="the extra `video` is not installed")

from keras_segformer.errors import InvalidVideoError  # noqa: E402 - needs PyAV
from keras_segformer.video.pipeline import VideoReport, segment_video  # noqa: E402
from keras_segformer.video.reader import Frame, VideoReader  # noqa: E402
from keras_segformer.video.sources import VideoSource, video_source  # noqa: E402
from video_files import RATE, pictures, read_video, write_video  # noqa: E402


def is_square(pixels: np.ndarray) -> np.ndarray:
    """The labels of the pictures that tests write: 1 in the moving square."""
    return (pixels[..., 0] > 170).astype(np.int32)


def painted(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A picture that shows the labels."""
    return np.where(labels[..., None] == 1, np.uint8(255), pixels)


def process(source: Path | VideoSource, folder: Path, mask: bool = True, **options) -> VideoReport:
    source = video_source(source) if isinstance(source, Path) else source
    with VideoReader(source, **options) as reader:
        return segment_video(
            reader, is_square, painted, 2, folder / "out.mp4", folder / "out.mkv" if mask else None, live=source.live
        )


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [round(frame.time, 3) for frame in container.decode(video=0)]


def sound_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        assert any(np.abs(frame.to_ndarray().astype(np.float64)).max() > 0.05 for frame in frames)
        return frames[-1].time + frames[-1].samples / frames[-1].sample_rate


@pytest.mark.parametrize("size", [(48, 64), (47, 63)], ids=str)
def test_pictures_and_label_maps(tmp_path, size):
    frames = write_video(tmp_path / "in.mp4", pictures(size=(48, 64)))
    if size != (48, 64):
        frames = [frame[: size[0], : size[1]] for frame in frames]
        write_video(tmp_path / "in.mkv", frames, codec="ffv1", options={})
        (tmp_path / "in.mkv").replace(tmp_path / "in.mp4")
    report = process(tmp_path / "in.mp4", tmp_path)
    assert (report.frames, report.broken, report.size) == (10, (), size)
    assert times(tmp_path / "out.mp4") == [index / RATE for index in range(10)]
    source = read_video(tmp_path / "in.mp4")
    labels = read_video(tmp_path / "out.mkv", "gray")
    for index in range(10):
        np.testing.assert_array_equal(labels[index], is_square(source[index]))
    assert report.pixels.tolist() == np.bincount(np.ravel(labels)).tolist()
    picture = read_video(tmp_path / "out.mp4")[5][: size[0], : size[1]].astype(int)
    assert np.abs(picture - painted(source[5], is_square(source[5]))).mean() < 8
    assert np.abs(picture - frames[5]).mean() > 8


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_is_kept(tmp_path, codec):
    source = tmp_path / f"in.{'mp4' if codec == 'aac' else 'mkv'}"
    write_video(source, sound=codec)
    process(source, tmp_path, mask=False)
    assert sound_seconds(tmp_path / "out.mp4") == pytest.approx(1.0, abs=0.1)
    process(source, tmp_path, mask=False, start=0.4, stop=0.8)
    assert sound_seconds(tmp_path / "out.mp4") == pytest.approx(0.4, abs=0.1)


def test_part_of_a_video(tmp_path):
    frames = write_video(tmp_path / "in.mp4")
    report = process(tmp_path / "in.mp4", tmp_path, start=0.2, stop=0.8, every=2)
    assert report.frames == 3
    assert times(tmp_path / "out.mp4") == [0.0, 0.2, 0.4]
    labels = read_video(tmp_path / "out.mkv", "gray")
    for found, index in zip(labels, (2, 4, 6), strict=True):
        assert np.mean(found != is_square(frames[index])) < 0.01


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_turned_videos_come_out_upright(tmp_path, degrees):
    frames = write_video(tmp_path / "in.mp4", rotation=degrees)
    process(tmp_path / "in.mp4", tmp_path)
    upright = np.rot90(is_square(frames[3]), degrees // 90)
    found = read_video(tmp_path / "out.mkv", "gray")[3]
    assert found.shape == upright.shape
    assert np.mean(found != upright) < 0.01


def test_a_broken_frame_is_named_and_the_others_go_on(tmp_path):
    write_video(tmp_path / "in.mkv", options={"bf": "0"})
    content = bytearray((tmp_path / "in.mkv").read_bytes())
    with av.open(str(tmp_path / "in.mkv")) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][4]
        begin = content.find(bytes(packet))
    content[begin : begin + 8] = bytes(8)
    (tmp_path / "in.mkv").write_bytes(content)
    report = process(tmp_path / "in.mkv", tmp_path)
    assert len(report.broken) == 1
    assert "broken frame at 0.40 s" in report.broken[0]
    assert report.frames >= 9


def test_a_video_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    write_video(tmp_path / "in.mkv", codec="ffv1", options={})
    content = (tmp_path / "in.mkv").read_bytes()
    (tmp_path / "in.mkv").write_bytes(content[: len(content) // 2])
    assert 3 <= process(tmp_path / "in.mkv", tmp_path).frames <= 6


def test_what_a_killed_run_leaves_can_be_played(tmp_path):
    code = """
        import os, signal, sys
        sys.argv[0] = "keras-segformer"  # so that Keras is not imported
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from keras_segformer.video.writer import VideoWriter
        writers = [VideoWriter(Path(name), Fraction(1, 25), Fraction(25)) for name in ("out.mp4", "out.mkv")]
        noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        for index in range(150):
            writers[0].write(np.roll(noise, index, axis=1), index)
            writers[1].write(np.roll(noise[..., 0], index, axis=1), index)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.run(command, cwd=tmp_path, env=environment, check=False).returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.part.mkv", "out.part.mp4"]
    assert len(read_video(tmp_path / "out.part.mp4")) >= 100
    assert len(read_video(tmp_path / "out.part.mkv")) >= 100


def test_a_failure_leaves_what_there_is_under_another_name(tmp_path):
    write_video(tmp_path / "in.mp4")
    seen = []

    def fail_at_the_sixth(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels)
        if len(seen) == 6:
            raise ValueError("the logits are not finite")
        return is_square(pixels)

    with VideoReader(video_source(tmp_path / "in.mp4")) as reader, pytest.raises(ValueError, match="not finite"):
        segment_video(reader, fail_at_the_sixth, painted, 2, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_a_live_source_leaves_frames_out_and_may_be_interrupted(tmp_path):
    write_video(tmp_path / "in.mp4", pictures(24, size=(48, 96)))
    source = VideoSource("camera:0", str(tmp_path / "in.mp4"), "camera_0", live=True)
    seen = []

    def interrupted_at_the_fifth(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return is_square(pixels)

    with VideoReader(source) as reader:
        report = segment_video(reader, interrupted_at_the_fifth, painted, 2, tmp_path / "out.mp4", live=True)
    assert report.interrupted
    assert 1 <= len(read_video(tmp_path / "out.mp4")) == report.frames <= 4


@pytest.mark.parametrize("what", ["rubbish", "missing", "sound", "after the end"])
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, what):
    options = {}
    if what == "rubbish":
        (tmp_path / "in.mp4").write_bytes(b"rubbish" * 100)
    elif what == "sound":
        from video_files import tone

        with av.open(str(tmp_path / "in.mp4"), "w") as container:
            audio = container.add_stream("aac", rate=16_000, layout="mono")
            for frame in tone(0.5):
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    elif what == "after the end":
        write_video(tmp_path / "in.mp4")
        options = {"start": 5.0}
    with pytest.raises(InvalidVideoError, match="; ") as error:
        process(tmp_path / "in.mp4", tmp_path, **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.mp4").exists()


def test_a_camera_that_is_not_there(tmp_path):
    with pytest.raises(InvalidVideoError, match="check that the camera is connected"):
        VideoReader(video_source("camera:99"))


def test_a_missing_encoder_is_named(tmp_path, monkeypatch):
    write_video(tmp_path / "in.mp4")
    monkeypatch.setattr(av, "codecs_available", frozenset())
    with pytest.raises(InvalidVideoError, match="no encoder libx264; install"):
        process(tmp_path / "in.mp4", tmp_path)


def test_frames_of_many_classes_have_16_bits(tmp_path):
    write_video(tmp_path / "in.mp4", pictures(3))
    with VideoReader(video_source(tmp_path / "in.mp4")) as reader:
        segment_video(
            reader, lambda pixels: 300 * is_square(pixels), painted, 301, tmp_path / "o.mp4", tmp_path / "o.mkv"
        )
    assert np.unique(read_video(tmp_path / "o.mkv", "gray16le")).tolist() == [0, 300]


def test_times_grow_by_the_rate_where_frames_are_kept(tmp_path):
    write_video(tmp_path / "in.mp4")
    with VideoReader(video_source(tmp_path / "in.mp4"), every=3) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
        assert [float(frame.pts * reader.time_base) for frame in frames] == pytest.approx([0, 0.3, 0.6, 0.9])
        assert (reader.total, float(reader.rate)) == (3, pytest.approx(RATE / 3))
