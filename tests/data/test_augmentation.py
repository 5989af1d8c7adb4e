"""Augmentation: masks stay integer and aligned with their images, and every draw follows from its seed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_segformer.data.augmentation import (
    PAD_COLOR,
    Augmentation,
    pad,
    photometric_distortion,
    random_crop,
    random_flip,
    random_scale,
    resize,
)
from keras_segformer.mask_rules import IGNORE

CROP = (48, 64)


def example(height: int = 70, width: int = 90, seed: int = 0) -> tuple[tf.Tensor, tf.Tensor]:
    """A picture of tiles whose red channel tells the class, some tiles ignored."""
    tiles = np.random.default_rng(seed).choice([0, 3, 9, IGNORE], (-(-height // 10), -(-width // 10)))
    mask = tiles.repeat(10, axis=0).repeat(10, axis=1)[:height, :width].astype(np.uint8)
    image = np.stack([mask, 255 - mask, mask // 2], axis=-1)
    return tf.constant(image), tf.constant(mask)


def seed_of(number: int) -> tf.Tensor:
    return tf.constant([number, 7], tf.int64)


@settings(max_examples=40)
@given(
    height=st.integers(32, 120),
    width=st.integers(32, 120),
    low=st.floats(0.3, 1.0),
    high=st.floats(1.0, 2.5),
    number=st.integers(0, 2**31),
)
def test_masks_hold_nothing_new(height, width, low, high, number):
    image, mask = example(height, width, number % 5)
    out_image, out_mask = Augmentation(CROP, scale=(low, high))(image, mask, seed_of(number))
    assert out_image.dtype == out_mask.dtype == tf.uint8
    assert (tuple(out_image.shape), tuple(out_mask.shape)) == ((*CROP, 3), CROP)
    assert set(np.unique(out_mask)) <= set(np.unique(mask)) | {IGNORE}


@pytest.mark.parametrize("number", range(6))
def test_masks_stay_on_their_images(number):
    image, mask = example()
    augmentation = Augmentation(CROP, scale=(0.7, 1.6), photometric=False)
    out_image, out_mask = (tensor.numpy() for tensor in augmentation(image, mask, seed_of(number)))
    inside = np.abs(out_image[..., 0].astype(int) + out_image[..., 1] - 255) <= 1  # not the padding
    assert inside.any()
    # Away from borders between tiles, which are interpolated in the image, red is the class.
    agreement = (out_image[..., 0] == out_mask)[inside].mean()
    assert agreement > 0.75
    # The only other values are mixtures: never a tile's colour on another tile's class by more than a border.
    shifted = (np.roll(out_image[..., 0], 8, axis=1) == out_mask)[inside].mean()
    assert shifted < agreement - 0.15


def test_the_same_seed_gives_the_same_pixels_and_another_others():
    image, mask = example()
    augmentation = Augmentation(CROP)
    once, again, other = (augmentation(image, mask, seed_of(number)) for number in (1, 1, 2))
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(once[0], other[0])


def test_graphs_draw_what_eager_calls_draw():
    image, mask = example()
    augmentation = Augmentation(CROP)
    compiled = tf.function(augmentation)
    for eager, graph in zip(augmentation(image, mask, seed_of(5)), compiled(image, mask, seed_of(5)), strict=True):
        np.testing.assert_allclose(tf.cast(eager, tf.int32), tf.cast(graph, tf.int32), atol=1)


class TestScale:
    def test_range(self):
        image, mask = example(100, 200)
        widths = [random_scale(image, mask, seed_of(number), (0.5, 1.5))[1].shape[1] for number in range(60)]
        assert 100 <= min(widths) < 130
        assert 270 < max(widths) <= 300

    @pytest.mark.parametrize(
        ("base_size", "size"), [((400, 100), (100, 200)), ((100, 100), (50, 100)), ((2048, 512), (512, 1024))]
    )
    def test_base_size_is_a_box(self, base_size, size):
        image, mask = example(50, 100)
        out_image, out_mask = random_scale(image, mask, seed_of(0), (1.0, 1.0), base_size)
        assert tuple(out_mask.shape) == tuple(out_image.shape[:2]) == size

    def test_a_stretched_picture_has_the_size_of_the_crop(self):
        image, mask = example(50, 100)
        augmentation = Augmentation(crop_size=(40, 36), stretch=True, scale=(1.0, 1.0), flip=0.0, photometric=False)
        out_image, out_mask = augmentation(image, mask, seed_of(0))
        expected_image, expected_mask = resize(image, mask, (40, 36))
        np.testing.assert_array_equal(out_image, expected_image)
        np.testing.assert_array_equal(out_mask, expected_mask)

    def test_antialiasing_averages_over_what_is_left_out(self):
        image = tf.tile(tf.constant([0, 0, 0, 255], tf.uint8)[:, None, None], [16, 64, 3])  # every fourth row is white
        mask = tf.zeros((64, 64), tf.uint8)
        aliased, _ = resize(image, mask, (16, 16))
        antialiased, _ = resize(image, mask, (16, 16), antialias=True)
        assert set(np.unique(aliased)) == {0}
        assert np.all(np.abs(antialiased.numpy()[1:-1].astype(int) - 255 // 4) < 16)

    def test_factor_one_changes_nothing(self):
        image, mask = example()
        out_image, out_mask = random_scale(image, mask, seed_of(0), (1.0, 1.0))
        np.testing.assert_array_equal(out_image, image)
        np.testing.assert_array_equal(out_mask, mask)


class TestCrop:
    def test_windows_lie_everywhere(self):
        rows, columns = np.mgrid[:64, :80]
        image = tf.constant(np.stack([rows, columns, rows], axis=-1).astype(np.uint8))
        mask = tf.constant((rows % 2).astype(np.uint8))
        corners = {
            tuple(random_crop(image, mask, seed_of(number), (32, 32), 1.0)[0].numpy()[0, 0, :2]) for number in range(80)
        }
        tops, lefts = zip(*corners, strict=True)
        assert min(tops) <= 2
        assert max(tops) >= 30  # of 0 to 32
        assert min(lefts) <= 3
        assert max(lefts) >= 45  # of 0 to 48

    def test_a_class_that_fills_the_window_is_avoided(self):
        # Two halves: one window in four has enough of both.
        mask = np.zeros((64, 96), np.uint8)
        mask[:, 64:] = 1
        image = tf.zeros((64, 96, 3), tf.uint8)

        def monotonous(ratio: float) -> int:
            crops = (random_crop(image, tf.constant(mask), seed_of(n), (64, 32), ratio)[1] for n in range(40))
            return sum(max(np.mean(crop == 0), np.mean(crop == 1)) >= 0.75 for crop in crops)

        assert monotonous(1.0) > 20
        assert monotonous(0.75) < 8

    def test_ignored_pixels_do_not_count(self):
        mask = np.full((64, 64), IGNORE, np.uint8)
        mask[:2, :2] = [[0, 1], [0, 1]]
        image = tf.zeros((64, 64, 3), tf.uint8)
        # Balanced among labelled pixels, so the first window is taken: the one that is drawn without the rule.
        first = random_crop(image, tf.constant(mask), seed_of(3), (64, 64), 1.0)
        ruled = random_crop(image, tf.constant(mask), seed_of(3), (64, 64), 0.75)
        np.testing.assert_array_equal(first[1], ruled[1])

    def test_small_pictures_keep_their_size(self):
        image, mask = example(40, 50)
        assert random_crop(image, mask, seed_of(0), (64, 64))[1].shape == (40, 50)


class TestClassBalance:
    FREQUENCIES = (0.5, 0.3, 0.1, 0.1)

    @staticmethod
    def rare_example() -> tuple[tf.Tensor, tf.Tensor]:
        """Class 0 with a spot of class 2 in a corner and one of class 3 at the opposite edge."""
        mask = np.zeros((90, 120), np.uint8)
        mask[2:4, 5:7] = 2
        mask[80:82, 110:112] = 3
        return tf.constant(mask[..., None].repeat(3, axis=-1)), tf.constant(mask)

    def windows(self, balance: float, frequencies: tuple[float, ...], count: int = 120) -> list[np.ndarray]:
        image, mask = self.rare_example()
        crop = tf.function(lambda seed: random_crop(image, mask, seed, (32, 32), 1.0, balance, frequencies))
        pairs = [crop(seed_of(number)) for number in range(count)]
        for cut, labels in pairs:
            assert labels.shape == (32, 32)
            np.testing.assert_array_equal(cut[..., 0], labels)
        return [labels.numpy() for _, labels in pairs]

    def test_windows_contain_the_classes_that_are_drawn(self):
        # Of the classes in the picture, 0, 2 and 3, the rare ones are drawn in 10 of 11 cases on average.
        windows = self.windows(1.0, (0.5, 0.3, 0.1, 0.1))
        rare = [int((labels > 0).any()) for labels in windows]
        assert 0.75 < np.mean(rare) < 1.0
        shares = [np.mean([(labels == index).any() for labels in windows]) for index in (2, 3)]
        assert min(shares) > 0.3

    def test_probability(self):
        shares = [
            np.mean([(labels > 0).any() for labels in self.windows(balance, self.FREQUENCIES)])
            for balance in (0.0, 0.5, 1.0)
        ]
        assert shares[0] < 0.25
        assert shares[0] + 0.2 < shares[1] < shares[2] - 0.2

    def test_a_class_of_frequency_zero_is_not_drawn(self):
        windows = self.windows(1.0, (0.0, 0.0, 1.0, 0.0), count=40)
        assert all((labels == 2).any() for labels in windows)

    def test_the_pixel_lies_anywhere_in_the_window(self):
        mask = np.zeros((200, 200), np.uint8)
        mask[100, 100] = 1
        image = tf.constant(mask[..., None].repeat(3, axis=-1))
        crop = tf.function(lambda seed: random_crop(image, tf.constant(mask), seed, (40, 40), 1.0, 1.0, (0.0, 1.0)))
        places = np.array([np.argwhere(crop(seed_of(number))[1].numpy() == 1)[0] for number in range(80)])
        assert (places.min(axis=0) <= 4).all()
        assert (places.max(axis=0) >= 35).all()

    def test_pictures_without_any_of_the_classes_are_cropped_as_usual(self):
        image, mask = example()  # classes 0, 3 and 9
        balanced = random_crop(image, mask, seed_of(2), (32, 32), 0.75, 1.0, (0.0, 1.0))
        usual = random_crop(image, mask, seed_of(2), (32, 32), 0.75)
        np.testing.assert_array_equal(balanced[1], usual[1])

    def test_the_same_seed_gives_the_same_window(self):
        once, again = (self.windows(1.0, self.FREQUENCIES, count=10) for _ in range(2))
        np.testing.assert_array_equal(once, again)


def test_flips_happen_as_often_as_asked():
    image, mask = example(4, 20)
    flipped = 0
    for number in range(100):
        out_image, out_mask = random_flip(image, mask, seed_of(number), 0.25)
        is_flipped = np.array_equal(out_image, image[:, ::-1])
        assert is_flipped or np.array_equal(out_image, image)
        assert np.array_equal(out_mask, mask[:, ::-1] if is_flipped else mask)
        flipped += is_flipped
    assert 10 < flipped < 42


class TestPhotometricDistortion:
    def test_every_part_is_drawn(self):
        grey = tf.fill((4, 4, 3), tf.constant(128, tf.uint8))
        outputs = {tuple(photometric_distortion(grey, seed_of(number)).numpy()[0, 0]) for number in range(40)}
        # Grey has no saturation or hue: brightness and contrast alone.
        assert all(max(pixel) - min(pixel) <= 1 for pixel in outputs)
        assert len(outputs) > 10
        assert (128, 128, 128) in outputs  # nothing drawn

    def test_colours_change_too(self):
        red = tf.fill((4, 4, 3), tf.constant(100, tf.uint8)) + tf.constant([100, 0, 0], tf.uint8)
        outputs = [photometric_distortion(red, seed_of(number)).numpy()[0, 0].astype(int) for number in range(40)]
        spread = [max(pixel) - min(pixel) for pixel in outputs]
        assert min(spread) < 80
        assert max(spread) > 120
        assert any(pixel[2] > pixel[1] + 5 for pixel in outputs)
        assert any(pixel[1] > pixel[2] + 5 for pixel in outputs)


def test_padding_is_the_mean_pixel_and_ignored():
    image, mask = example(40, 50)
    out_image, out_mask = pad(image, mask, CROP)
    np.testing.assert_array_equal(out_image[:40, :50], image)
    np.testing.assert_array_equal(out_mask[:40, :50], mask)
    for outside in (np.s_[40:], np.s_[:, 50:]):
        assert set(np.unique(out_mask.numpy()[outside])) == {IGNORE}
        assert {tuple(pixel) for pixel in out_image.numpy()[outside].reshape(-1, 3)} == {PAD_COLOR}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"crop_size": (16, 64)}, "crop_size"),
        ({"crop_size": (64,)}, "crop_size"),
        ({"scale": (1.0, 0.5)}, "scale"),
        ({"scale": (0.0, 1.0)}, "scale"),
        ({"base_size": (512, 2048)}, "base_size"),
        ({"base_size": (64, 48), "stretch": True}, "`stretch` takes the place of `base_size`"),
        ({"cat_max_ratio": 0.0}, "cat_max_ratio"),
        ({"flip": 1.5}, "flip"),
        ({"class_balance": 1.5, "class_frequencies": (0.5, 0.5)}, "`class_balance` must be a probability"),
        ({"class_balance": 0.5}, "needs `class_frequencies`"),
        ({"class_balance": 0.5, "class_frequencies": (0.5, -0.5)}, "`class_frequencies` must not be negative"),
        ({"class_frequencies": (0.0, 0.0)}, "`class_frequencies` must not be negative, nor all be zero"),
        ({"paste": -0.5, "paste_classes": (1,)}, "`paste` must be a probability"),
        ({"paste": 0.5}, "needs `paste_classes`"),
        ({"paste": 0.5, "paste_classes": (1, 255)}, "`paste_classes` must be class indices"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**{"crop_size": CROP, **arguments})


def test_pasting_without_another_crop_is_refused():
    image, mask = tf.zeros((40, 40, 3), tf.uint8), tf.zeros((40, 40), tf.uint8)
    with pytest.raises(ValueError, match="needs the next crop, which `training_dataset` has"):
        Augmentation((32, 32), paste=0.5, paste_classes=(1,))(image, mask, [0, 0])


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (tf.zeros((40, 60, 3)), tf.zeros((40, 60), tf.uint8), r"An image is \(H, W, 3\), uint8; got"),
        (tf.zeros((40, 60, 3), tf.uint8), tf.zeros((40, 60)), r"A mask is \(H, W\), uint8"),
        (tf.zeros((40, 60, 3), tf.uint8), tf.zeros((40, 60, 2), tf.uint8), r"A mask is \(H, W\), uint8"),
        (tf.zeros((40, 60, 3), tf.uint8), tf.zeros((60, 40), tf.uint8), "differ in size"),
    ],
)
def test_other_images_and_masks_are_refused(image, mask, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(crop_size=(32, 32))(image, mask, tf.constant([0, 1]))
