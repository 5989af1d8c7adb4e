"""The network's logits of a picture, as a whole and from overlapping windows."""

from __future__ import annotations

import itertools
import math
import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.logits import grid_size, logit_bands, quarter_logits, slide, window_spans
from tiny import light_segmenter

aligned_lengths = st.integers(2, 10).map(lambda count: 32 * count)


def joined(bands) -> np.ndarray:
    return np.concatenate(list(bands))


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 64), (45, 33)])
def test_logits_are_those_of_the_network(model, size):
    images = np.random.default_rng(0).uniform(0, 255, (2, *size, 3)).astype("float32")
    logits = quarter_logits(model, images)
    assert logits.dtype == np.float32
    expected = keras.ops.convert_to_numpy(model.quarter(images, training=False))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_binary_model_has_a_channel_per_label(binary_model):
    images = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    logits = quarter_logits(binary_model, images)
    assert logits.shape == (1, 16, 16, 2)
    assert (logits[..., 0] == 0).all()
    expected = keras.ops.convert_to_numpy(binary_model.quarter(images, training=False))[..., 0]
    np.testing.assert_allclose(logits[..., 1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_logits_of_half_precision_are_float32(dtype):
    model = light_segmenter(dtype=dtype)
    assert quarter_logits(model, np.zeros((1, 64, 64, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_broken_weights_are_named(value):
    model = light_segmenter()
    bias = model.decoder.classifier.bias
    bias.assign(np.full(bias.shape, value))
    with pytest.raises(ValueError, match="NaN or infinite: its weights are broken"):
        quarter_logits(model, np.zeros((1, 64, 64, 3), np.float32))


def test_bands_are_the_grid(cellwise_model, noise):
    size = (70, 130)
    [whole] = logit_bands(cellwise_model, noise, size)
    assert whole.shape == (*grid_size(size), 7)
    windows = list(logit_bands(cellwise_model, noise, size, window=64))
    assert len(windows) == 2
    np.testing.assert_allclose(joined(windows), whole, atol=1e-5)


def test_pictures_above_the_limit_are_cut_into_windows_that_fit(model, noise):
    whole, cut = (joined(logit_bands(model, noise, (128, 160), max_pixels)) for max_pixels in (128 * 160, 100 * 100))
    windows = joined(slide(model, noise, (128, 160), window=96, stride=64))
    np.testing.assert_array_equal(cut, windows)
    assert not np.allclose(cut, whole, atol=1e-3)


def test_spans_of_the_papers_evaluation():
    assert window_spans(2048, 1024, 768) == [slice(0, 1024), slice(768, 1792), slice(1024, 2048)]
    assert window_spans(1024, 1024, 768) == [slice(0, 1024)]
    assert window_spans(100, 1024, 768) == [slice(0, 100)]
    assert window_spans(1025, 1024, 768) == [slice(0, 1024), slice(32, 1025)]


@given(st.integers(1, 2000), aligned_lengths, aligned_lengths)
def test_spans_cover_the_axis_in_order(length, window, stride):
    stride = min(stride, window)
    spans = window_spans(length, window, stride)
    assert spans[0].start == 0
    assert spans[-1].stop == length
    for span in spans:
        assert span.start % 32 == 0
        assert span.stop - span.start <= window
    for span, following in itertools.pairwise(spans):
        assert span.start < following.start <= span.stop < following.stop
        assert span.stop - span.start == window
        assert following.stop - following.start > window - 32
        assert following.start - span.start <= stride


@pytest.mark.parametrize(("window", "stride"), [(1000, 768), (1024, 700), (32, 32), (64, 96), (64, 0), (64, -32)])
def test_other_windows_are_refused(window, stride):
    with pytest.raises(ValueError, match="multiples of 32"):
        window_spans(2048, window, stride)


def test_a_single_window_is_the_whole(model, noise):
    whole = quarter_logits(model, noise[None].astype("float32"))[0]
    bands = list(slide(model, noise, noise.shape[:2], window=1024, stride=768))
    assert len(bands) == 1
    np.testing.assert_array_equal(bands[0], whole)


@pytest.mark.parametrize("size", [(160, 192), (70, 90), (133, 131), (64, 150), (150, 33)])
def test_windows_of_a_network_that_sees_no_borders_are_the_whole(cellwise_model, noise, size):
    whole = quarter_logits(cellwise_model, resized_rows(noise, size)[None])[0]
    windows = joined(slide(cellwise_model, noise, size, window=64, stride=32))
    assert windows.std() > 0
    np.testing.assert_allclose(windows, whole, atol=1e-5)


def test_overlaps_are_averaged(model, noise):
    size, window, stride = (150, 170), 96, 64
    image = resized_rows(noise, size)
    sums = np.zeros((38, 43, 7))
    counts = np.zeros((38, 43, 1))
    for top in (0, 64):
        for left in (0, 64, 96):
            logits = quarter_logits(model, image[None, top : top + window, left : left + window])[0]
            place = np.s_[top // 4 : top // 4 + logits.shape[0], left // 4 : left // 4 + logits.shape[1]]
            sums[place] += logits
            counts[place] += 1
    assert counts.min() == 1
    assert counts.max() == 4
    np.testing.assert_allclose(joined(slide(model, noise, size, window, stride)), sums / counts, rtol=1e-4, atol=1e-5)


def test_memory_does_not_grow_with_the_height(cellwise_model):
    def peak(height: int) -> int:
        image = np.zeros((height, 128, 3), np.uint8)
        tracemalloc.start()
        try:
            rows = sum(len(band) for band in slide(cellwise_model, image, image.shape[:2], window=128, stride=96))
            assert rows == math.ceil(height / 4)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(512)  # compiles
    assert peak(4096) < 1.5 * peak(512)
