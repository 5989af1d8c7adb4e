"""Labels smoothed over time, and how much they flicker."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segformer.evaluation import TFLiteModel
from keras_segformer.label_sets import LabelSet
from keras_segformer.predict.enlarge import enlarge_argmax
from keras_segformer.predict.logits import quarter_logits
from keras_segformer.video.flicker import FlickerMeter
from keras_segformer.video.steady import ExponentialMean, SteadySegmenter, votes
from tiny import light_segmenter

GOLDEN = Path(__file__).parents[2] / "android_demo/core/src/test/resources/golden"


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return light_segmenter()


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """One picture with the noise of a camera."""
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (64, 64, 3))
    return [np.clip(picture + random.normal(0, 12, picture.shape), 0, 255).astype(np.uint8) for _ in range(8)]


def flicker(frames, maps, tolerance=8) -> float:
    meter = FlickerMeter(tolerance)
    for pixels, labels in zip(frames, maps, strict=True):
        meter.add(pixels, labels)
    return meter.share


def test_without_weight_labels_are_those_of_segment(model, frames):
    steady = SteadySegmenter(model, 0.0, size="native")
    for frame in frames[:3]:
        np.testing.assert_array_equal(steady(frame), model.segment(frame, size="native"))


def test_the_mean_of_logits(model, frames):
    steady = SteadySegmenter(model, 0.75, size="native")
    first, second = (quarter_logits(model, frame[None].astype(np.float32))[0] for frame in frames[:2])
    steady(frames[0])
    expected = enlarge_argmax([0.75 * first + 0.25 * second], first.shape[:2], (64, 64))
    np.testing.assert_array_equal(steady(frames[1]), expected)


def test_labels_are_those_of_the_app():
    """Of votes, by the numbers that the tests of the Android app read as well."""
    cases = json.loads((GOLDEN / "steady.json").read_text())["cases"]
    content = (GOLDEN / "steady.bin").read_bytes()
    assert len(cases) >= 3
    for case in cases:
        mean = ExponentialMean(case["weight"])
        for labels, expected in zip(case["labels"], case["expected"], strict=True):
            seen, wanted = (
                np.frombuffer(content, "<i4", place["length"] // 4, place["offset"]) for place in (labels, expected)
            )
            np.testing.assert_array_equal(mean(votes(seen, case["classes"])).argmax(axis=-1), wanted)


@pytest.mark.parametrize("channels", [(), (1,)])
def test_files_that_give_labels(tmp_path, monkeypatch, channels):
    """The red of a picture of 32x32 pixels, a quarter as large, as one of three labels."""

    class File(TFLiteModel):
        def __init__(self) -> None:
            self.gives_labels, self.label_set, self.num_labels = True, LabelSet.generic(3), 3

        def _run(self, image: np.ndarray, antialias: bool) -> np.ndarray:
            return (image[::4, ::4, 0] // 86).astype(np.int32).reshape(1, 8, 8, *channels)

    frames = np.zeros((4, 32, 32, 3), np.uint8)
    frames[1, :16] = frames[2:, 16:] = 255  # for one frame, and for good
    steady = SteadySegmenter(File(), 0.6)
    found = [steady(frame) for frame in frames]
    assert [labels.max() for labels in found] == [0, 0, 0, 2]
    np.testing.assert_array_equal(found[3], frames[3, ..., 0] // 86)


def test_steady_labels_flicker_less(model, frames):
    steady = SteadySegmenter(model, 0.6, size="native")
    single = flicker(frames, [model.segment(frame, size="native") for frame in frames], tolerance=255)
    smooth = flicker(frames, [steady(frame) for frame in frames], tolerance=255)
    assert single > 0.01
    assert smooth < 0.7 * single


def test_a_change_of_size_begins_anew(model, frames):
    steady = SteadySegmenter(model, 0.9, size="native")
    steady(frames[0])
    smaller = frames[1][:32, :48]
    np.testing.assert_array_equal(steady(smaller), model.segment(smaller, size="native"))


@pytest.mark.parametrize("weight", [-0.1, 1.0, float("nan")])
def test_weights_out_of_range(model, weight):
    with pytest.raises(ValueError, match="must be from 0 to below 1"):
        SteadySegmenter(model, weight)


def test_only_still_pixels_count_as_flicker():
    pictures = np.zeros((2, 1, 4, 3), np.uint8)
    pictures[1, 0, :2] = [[9, 0, 0], [8, 8, 8]]  # the first has moved, the second is noise
    assert flicker(pictures, np.array([[[0, 0, 0, 0]], [[1, 1, 0, 0]]])) == pytest.approx(1 / 3)


def test_without_still_pixels_there_is_no_figure():
    pictures = np.stack([np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)])
    assert flicker(pictures, np.zeros((2, 2, 2), int)) is None
