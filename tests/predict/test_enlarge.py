"""From logits at a quarter of the size to labels and probabilities at the picture's own size."""

from __future__ import annotations

import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_segformer.predict import enlarge
from keras_segformer.predict.enlarge import enlarge_argmax, enlarge_mean_argmax, enlarge_softmax
from keras_segformer.predict.interpolation import interpolation, mix

lengths = st.integers(1, 12)
logit_maps = hnp.arrays(
    np.float32, st.tuples(lengths, lengths, st.integers(2, 5)), elements=st.sampled_from([-3.0, 0.0, 1.0, 2.5])
)
sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


def enlarged(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """All enlarged logits `(height, width, classes)` at once."""
    vertical, horizontal = interpolation(logits.shape[0], size[0]), interpolation(logits.shape[1], size[1])
    rows = mix(logits[vertical.low], logits[vertical.high], vertical.weight[:, None, None])
    return mix(rows[:, horizontal.low], rows[:, horizontal.high], horizontal.weight[:, None])


def cut(logits: np.ndarray, places: list[int]) -> list[np.ndarray]:
    """The logits as bands, cut at those of the places that lie inside."""
    return np.split(logits, sorted({place for place in places if place < len(logits)}))


@given(logit_maps, sizes, st.lists(st.integers(1, 11)), st.integers(1, 200))
def test_bands_and_pieces_change_nothing(logits, size, places, max_values):
    whole = enlarged(logits, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enlarge, "MAX_VALUES", max_values)
        labels = enlarge_argmax(cut(logits, places), logits.shape[:2], size)
        probabilities = enlarge_softmax(cut(logits, places), logits.shape[:2], size)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, whole.argmax(axis=-1))
    assert probabilities.dtype == np.float32
    expected = np.exp(whole) / np.exp(whole).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)


@pytest.mark.parametrize("max_values", [1, 500, 2**21])
def test_means_are_over_probabilities(monkeypatch, max_values):
    monkeypatch.setattr(enlarge, "MAX_VALUES", max_values)
    generator = np.random.default_rng(0)
    maps = [generator.normal(scale=scale, size=(h, w, 6)).astype("float32") for scale, h, w in [(1, 3, 4), (5, 7, 2)]]
    size = (23, 31)
    expected = np.mean([enlarge_softmax([logits], logits.shape[:2], size) for logits in maps], axis=0)
    labels = enlarge_mean_argmax([(cut(logits, [1, 2, 5]), logits.shape[:2]) for logits in maps], size)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected.argmax(axis=-1))


def test_memory_of_a_mean_does_not_grow_with_the_picture_times_the_classes():
    logits = np.random.default_rng(0).normal(size=(32, 32, 150)).astype("float32")
    tracemalloc.start()
    try:
        enlarge_mean_argmax([([logits], (32, 32))] * 2, (400, 1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 400 * 1000 * 150 * 4 / 2


@pytest.mark.parametrize("size", [(75, 110), (80, 112), (17, 23), (3, 2)])
def test_labels_are_those_of_the_networks_own_resize(size):
    logits = np.random.default_rng(0).normal(size=(20, 28, 30)).astype("float32")
    reference = keras.ops.image.resize(logits, size, interpolation="bilinear", antialias=False)
    reference = keras.ops.convert_to_numpy(reference)
    second, first = np.sort(reference, axis=-1)[..., -2:].transpose(2, 0, 1)
    clear = first - second > 1e-5
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(enlarge_argmax([logits], (20, 28), size)[clear], reference.argmax(axis=-1)[clear])


def test_a_class_that_is_second_best_everywhere_can_win_in_between():
    logits = np.array([[[1, 0, 0.9], [0, 1, 0.9]]], np.float32)
    assert set(logits.argmax(axis=-1).ravel()) == {0, 1}
    assert enlarge_argmax([logits], (1, 2), (1, 6)).tolist() == [[0, 0, 2, 2, 1, 1]]


def test_large_logits_have_probabilities():
    probabilities = enlarge_softmax([np.array([[[1e4, 0.0]]], np.float32)], (1, 1), (1, 1))
    assert probabilities.tolist() == [[[1, 0]]]


def test_memory_does_not_grow_with_the_picture_times_the_classes():
    logits = np.random.default_rng(0).normal(size=(32, 32, 150)).astype("float32")
    tracemalloc.start()
    try:
        enlarge_argmax([logits], (32, 32), (800, 1000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.2 * (800 * 1000 * 150 * 4)
