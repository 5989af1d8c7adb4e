"""Real layers of keras-cv on masks of classes."""

from __future__ import annotations

from collections.abc import Callable

import keras
import keras_cv.layers as kcv
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_datasets import random_mask, write_image
from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples, identity_values
from keras_segformer.data.image_files import encode_image
from keras_segformer.data.keras_cv_layers import _decode, _encode, from_keras_cv
from keras_segformer.data.masks import encode_mask
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.label_sets import LabelSet

# Blends of 1 and 3, of 0 and 4, and many others fall on a third of these.
VALUES = [0, 1, 2, 3, 4, 150, 152, 154, 255]
MASK_BEFORE = random_mask(VALUES, size=(60, 80))
RANGE = (0, 255)

GEOMETRY: dict[str, Callable[[], keras.layers.Layer]] = {
    "RandomFlip": lambda: kcv.RandomFlip("horizontal_and_vertical"),
    "JitteredResize": lambda: kcv.JitteredResize((48, 64), (0.5, 2.0)),
    "JitteredResize, smaller": lambda: kcv.JitteredResize((48, 64), (0.3, 0.6)),
    "RandomCropAndResize": lambda: kcv.RandomCropAndResize((40, 48), (0.3, 1.0), (0.75, 1.33)),
    "RandomZoom": lambda: kcv.RandomZoom((0.2, 0.5), fill_mode="constant", fill_value=3.0),
    "RandomTranslation": lambda: kcv.RandomTranslation(0.4, 0.4, fill_mode="constant", fill_value=1.0),
    "RandomShear": lambda: kcv.RandomShear(0.5, 0.5, fill_mode="constant", fill_value=150.0),
    "RandomRotation": lambda: kcv.RandomRotation(0.3, fill_mode="constant", fill_value=2.0),
    "RandomRotation, nearest": lambda: kcv.RandomRotation(0.3, interpolation="nearest"),
    "Resizing": lambda: kcv.Resizing(33, 31),
    "Resizing, padded": lambda: kcv.Resizing(60, 32, pad_to_aspect_ratio=True),
    "Sequential": lambda: keras.Sequential([kcv.RandomFlip(), kcv.JitteredResize((48, 64), (0.5, 2.0))]),
}
COLOR: dict[str, Callable[[], keras.layers.Layer]] = {
    "RandomBrightness": lambda: kcv.RandomBrightness(0.3),
    "RandomColorJitter": lambda: kcv.RandomColorJitter(RANGE, 0.2, 0.5, 0.5, 0.2),
    "RandomHue": lambda: kcv.RandomHue(0.3, RANGE),
    "RandomGaussianBlur": lambda: kcv.RandomGaussianBlur(3, (0.0, 1.0)),
    "Grayscale": lambda: kcv.Grayscale(3),
    "GridMask": lambda: kcv.GridMask(),
}


@pytest.fixture(autouse=True)
def same_draws():
    keras.utils.set_random_seed(0)


def noise(size: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


def augmented(layer: keras.layers.Layer, image: np.ndarray, mask: np.ndarray, count: int = 4) -> list:
    """What a layer makes of one example, several times, within `tf.data`."""
    dataset = tf.data.Dataset.from_tensors((image, mask)).repeat(count).map(from_keras_cv(layer))
    return list(dataset.as_numpy_iterator())


@pytest.mark.parametrize("name", GEOMETRY)
def test_masks_hold_what_they_held_before_or_255(name):
    for image, mask in augmented(GEOMETRY[name](), noise(), MASK_BEFORE):
        assert image.dtype == mask.dtype == np.uint8
        assert image.shape == (*mask.shape, 3)
        assert set(np.unique(mask)) <= set(VALUES)
        assert (mask != 255).mean() > 0.05


@pytest.mark.parametrize("name", COLOR)
def test_colours_leave_masks_alone(name):
    results = augmented(COLOR[name](), noise(), MASK_BEFORE)
    for image, mask in results:
        assert image.dtype == mask.dtype == np.uint8
        assert image.shape == (*mask.shape, 3)
        np.testing.assert_array_equal(mask, MASK_BEFORE)
    assert any((image != noise()).any() for image, _ in results)


@pytest.mark.parametrize(
    "name",
    ["RandomFlip", "JitteredResize, smaller", "RandomZoom", "RandomTranslation", "RandomShear", "RandomRotation"],
)
def test_image_and_mask_move_together(name):
    """A picture painted in the value of its pixel shows what the mask holds, wherever it is of one class.

    Two values, because a blend of two may look like a third.
    """
    mask_before = random_mask([10, 200], size=(60, 80))
    painted = np.repeat(mask_before[..., None], 3, axis=-1)
    for image, mask in augmented(GEOMETRY[name](), painted, mask_before):
        inside = (mask != 255) & np.isin(image[..., 0], [10, 200])
        assert inside.mean() > 0.02
        # No more than rounding: the layers draw without a seed within `tf.data`, so that the limit holds for any draw.
        assert (image[..., 0] == mask)[inside].mean() > 0.99


@pytest.mark.parametrize("fill", [0.0, 1.0, 2.0, 3.0, 255.0])
def test_padding_is_255_whatever_the_layer_fills_with(fill):
    layer = kcv.RandomTranslation((0.5, 0.5), (0.0, 0.0), fill_mode="constant", fill_value=fill)
    ((_, mask),) = augmented(layer, noise(), np.full((60, 80), 2, np.uint8), count=1)
    assert (mask[:30] == 255).all()
    assert (mask[30:] == 2).all()


class Blend(keras.layers.Layer):
    """Mixes masks with their mirror image, and may round the result."""

    def __init__(self, weight: float, is_rounded: bool) -> None:
        super().__init__()
        self.weight, self.is_rounded = weight, is_rounded

    def call(self, inputs):
        masks = inputs["segmentation_masks"]
        mixed = self.weight * masks + (1 - self.weight) * masks[:, ::-1]
        return inputs | {"segmentation_masks": tf.round(mixed) if self.is_rounded else mixed}


@pytest.mark.parametrize("is_rounded", [False, True])
@pytest.mark.parametrize("weight", [0.5, 0.25, 1 / 3])
def test_blends_become_255_even_where_they_fall_on_a_class(weight, is_rounded):
    ((_, mask),) = augmented(Blend(weight, is_rounded), noise(), MASK_BEFORE, count=1)
    agree = MASK_BEFORE[:, ::-1] == MASK_BEFORE
    assert 0.05 < agree.mean() < 0.5
    np.testing.assert_array_equal(mask, np.where(agree, MASK_BEFORE, 255))


def test_traces_of_another_value_are_rounded_away_or_become_255():
    for is_rounded in (False, True):
        ((_, mask),) = augmented(Blend(0.999, is_rounded), noise(), MASK_BEFORE, count=1)
        assert ((mask == MASK_BEFORE) | (mask == 255)).all()


@settings(max_examples=50)
@given(st.lists(st.integers(0, 255), min_size=2, max_size=2, unique=True), st.floats(0.001, 0.999))
def test_no_blend_of_two_values_is_a_value(values, weight):
    """With every value of 8 bits held, so that only the code of a pixel can tell."""
    pairs = _encode(tf.constant([values], tf.uint8))
    blend = (weight * pairs[:, :1] + (1 - weight) * pairs[:, 1:])[None, 0]
    assert _decode(blend, tf.range(256))[0, 0] == 255


@settings(max_examples=50)
@given(st.integers(0, 255), st.floats(0, 255))
def test_no_constant_is_a_value(value, fill):
    held = tf.constant([[value]], tf.uint8)
    assert _decode(tf.fill((1, 1, 2), tf.constant(fill, tf.float32)), held)[0, 0] == 255
    assert _decode(_encode(held), held)[0, 0] == value


def test_layers_for_pairs_of_examples_are_refused():
    with pytest.raises(ValueError, match="single image"):
        augmented(kcv.MixUp(), noise(), MASK_BEFORE)


def test_layers_without_masks_are_refused():
    with pytest.raises(NotImplementedError):
        augmented(kcv.RandomCrop(30, 30), noise(), MASK_BEFORE)


def test_half_precision_is_refused():
    with pytest.raises(ValueError, match="computes in float16; make it with dtype='float32'"):
        from_keras_cv(kcv.RandomFlip(dtype="mixed_float16"))


def test_in_the_place_of_an_augmentation(tmp_path):
    write_image(tmp_path / "a.jpg", (60, 80))
    record = {
        IMAGE: [encode_image((tmp_path / "a.jpg").read_bytes()).data],
        MASK: [encode_mask(random_mask([0, 1], size=(60, 80)))],
        NAME: ["a"],
    }
    label_set = LabelSet.generic(2)
    examples = Examples(tf.data.Dataset.from_tensor_slices(record), 1, label_set, identity_values(label_set))
    augmentation = from_keras_cv(kcv.JitteredResize((32, 48), (0.5, 1.0)))
    images, masks = next(iter(training_dataset(examples, augmentation, batch_size=3)))
    assert (images.shape, images.dtype) == ((3, 32, 48, 3), tf.uint8)
    assert (masks.shape, masks.dtype) == ((3, 32, 48), tf.uint8)
