"""`segment`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from keras_segformer.errors import InvalidImageError
from keras_segformer.label_sets import load_label_set
from keras_segformer.models import VARIANTS, SegFormerNetwork
from keras_segformer.predict import MAX_PIXELS, Segmentation, segment
from keras_segformer.predict.logits import logit_bands, quarter_logits
from keras_segformer.presets.layouts import TRANSFORMERS
from keras_segformer.presets.torch_weights import assign_state_dict


def reference_logits(model: SegFormerNetwork, image: np.ndarray, network_size: tuple[int, int]) -> np.ndarray:
    """Resize, network and enlargement by Keras alone."""
    resized = keras.ops.image.resize(
        image[None].astype("float32"), network_size, interpolation="bilinear", antialias=False
    )
    logits = model.quarter(resized, training=False)
    logits = keras.ops.image.resize(logits, image.shape[:2], interpolation="bilinear", antialias=False)
    return keras.ops.convert_to_numpy(logits)[0]


def clear(logits: np.ndarray) -> np.ndarray:
    """Where the best class is better than the second by more than rounding, a mask `(H, W)`."""
    second, first = np.sort(logits, axis=-1)[..., -2:].transpose(2, 0, 1)
    return first - second > 1e-4


@pytest.mark.parametrize(
    ("size", "network_size"),
    [
        pytest.param("aligned", (64, 96), marks=pytest.mark.backend),
        ("square", (64, 64)),
        ("native", (70, 90)),
        ((96, 64), (96, 64)),
    ],
)
def test_labels_are_the_best_enlarged_logits(model, noise, size, network_size):
    labels = segment(model, noise, size=size)
    assert labels.dtype == np.int32
    assert labels.shape == (70, 90)
    assert len(np.unique(labels)) > 1
    logits = reference_logits(model, noise, network_size)
    mask = clear(logits)
    assert mask.mean() > 0.99
    np.testing.assert_array_equal(labels[mask], logits.argmax(axis=-1)[mask])


def test_antialiasing(model, noise):
    labels = segment(model, noise, size="square", antialias=True)
    resized = np.asarray(Image.fromarray(noise).resize((64, 64), Image.Resampling.BILINEAR))
    logits = model.quarter(resized[None].astype("float32"), training=False)
    logits = keras.ops.image.resize(logits, noise.shape[:2], interpolation="bilinear", antialias=False)
    logits = keras.ops.convert_to_numpy(logits)[0]
    mask = clear(logits)
    np.testing.assert_array_equal(labels[mask], logits.argmax(axis=-1)[mask])
    assert (labels != segment(model, noise, size="square")).any()


def test_aligned_is_the_default(model, noise):
    np.testing.assert_array_equal(segment(model, noise), segment(model, noise, size="aligned"))


def test_every_kind_of_image_gives_the_same_labels(model, noise, tmp_path: Path):
    expected = segment(model, noise)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    opaque = np.dstack([noise, np.full(noise.shape[:2], 255, np.uint8)])
    sources = [path, str(path), Image.fromarray(noise), opaque, noise.astype("float64"), noise.astype("uint16") * 257]
    for source in sources:
        np.testing.assert_array_equal(segment(model, source), expected)


def test_grey_images(model):
    grey = np.arange(70 * 90, dtype=np.uint8).reshape(70, 90)
    expected = segment(model, grey[:, :, None].repeat(3, axis=2))
    np.testing.assert_array_equal(segment(model, grey), expected)
    np.testing.assert_array_equal(segment(model, grey[:, :, None]), expected)


def test_photographs_are_turned_upright(model, noise, tmp_path: Path):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[274] = 6  # orientation: turn by 90 degrees clockwise
    Image.fromarray(noise).save(path, exif=exif)
    np.testing.assert_array_equal(segment(model, path), segment(model, np.rot90(noise, -1)))


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_gives_a_list(model, noise, kind):
    smaller = noise[:40, :50]
    results = segment(model, kind([noise, smaller]))
    assert isinstance(results, list)
    np.testing.assert_array_equal(results[0], segment(model, noise))
    np.testing.assert_array_equal(results[1], segment(model, smaller))
    assert segment(model, []) == []


def test_batches_are_of_one_size(model, noise, monkeypatch):
    mirrored = noise[:, ::-1]
    pictures = [noise, noise[:64, :64], mirrored, noise[:64, 8:72], noise[::-1]]
    expected = [segment(model, each, size="native") for each in pictures]
    shapes = []

    def quarter_logits_of(network, images):
        shapes.append(images.shape[:3])
        return quarter_logits(network, images)

    # The module, which the function of its name hides.
    monkeypatch.setattr(sys.modules["keras_segformer.predict.segment"], "quarter_logits", quarter_logits_of)
    found = segment(model, pictures, size="native", batch_size=2)
    assert shapes == [(2, 70, 90), (2, 64, 64)]
    for labels, alone in zip(found, expected, strict=True):
        assert np.mean(labels != alone) < 1e-3  # where two classes are as good as equal
    shapes.clear()
    pairs = segment(model, [noise, mirrored], size="native", batch_size=2, probabilities=True)
    assert [pair.probabilities.shape for pair in pairs] == [(70, 90, 7), (70, 90, 7)]
    segment(model, [noise, mirrored], size="native", batch_size=2, max_pixels=70 * 90)
    segment(model, [noise, mirrored], size="native")  # on a CPU, exactly as one by one
    assert shapes == [(2, 70, 90)]


@pytest.mark.parametrize("batch_size", [0, 1.5])
def test_batches_have_a_least_size(model, noise, batch_size):
    with pytest.raises(ValueError, match="`batch_size` must be"):
        segment(model, [noise], batch_size=batch_size)


def test_probabilities(model, noise):
    segmentation = segment(model, noise, probabilities=True)
    assert isinstance(segmentation, Segmentation)
    labels, probabilities = segmentation
    np.testing.assert_array_equal(labels, segment(model, noise))
    assert probabilities.shape == (70, 90, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)
    expected = keras.ops.softmax(reference_logits(model, noise, (64, 96)))
    np.testing.assert_allclose(probabilities, keras.ops.convert_to_numpy(expected), atol=1e-5)
    assert isinstance(segment(model, [noise], probabilities=True)[0], Segmentation)


def test_binary_labels_are_the_sign_of_the_logit_and_probabilities_its_sigmoid(binary_model, noise):
    labels, probabilities = segment(binary_model, noise, probabilities=True)
    logit = reference_logits(binary_model, noise, (64, 96))[..., 0]
    assert set(np.unique(labels)) == {0, 1}
    mask = abs(logit) > 1e-4
    np.testing.assert_array_equal(labels[mask], (logit > 0)[mask])
    sigmoid = keras.ops.convert_to_numpy(keras.ops.sigmoid(logit))
    np.testing.assert_allclose(probabilities, np.stack([1 - sigmoid, sigmoid], axis=-1), atol=1e-5)
    np.testing.assert_array_equal(segment(binary_model, noise), labels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (3000, 2), (31, 31)])
def test_tiny_and_extreme_pictures(model, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert segment(model, image).shape == shape


def test_large_pictures_are_cut_into_windows(cellwise_model, noise):
    whole = segment(cellwise_model, noise, size=(150, 170))
    windows = segment(cellwise_model, noise, size=(150, 170), max_pixels=64 * 64)
    assert (windows == whole).mean() > 0.999  # all but ties
    image = np.zeros((150, 170, 3), np.uint8)
    assert len(list(logit_bands(cellwise_model, image, (150, 170), max_pixels=64 * 64))) == 4
    assert len(list(logit_bands(cellwise_model, image, (150, 170), max_pixels=150 * 170))) == 1


@pytest.mark.parametrize("max_pixels", [64 * 64 - 1, 0, -1, 1e6, None])
def test_max_pixels_has_a_least_value(model, noise, max_pixels):
    with pytest.raises(ValueError, match="`max_pixels` must be an integer of at least 4096"):
        segment(model, noise, max_pixels=max_pixels)


def test_default_limit_is_a_whole_cityscapes_picture():
    assert MAX_PIXELS == 1024 * 2048


def test_bad_pictures_and_sizes_are_refused(model, noise, tmp_path: Path):
    with pytest.raises(InvalidImageError, match="32x32"):
        segment(model, noise[:31], size="native")
    with pytest.raises(InvalidImageError, match="NaN"):
        segment(model, np.full((40, 40, 3), np.nan))
    with pytest.raises(ValueError, match="`size` must be"):
        segment(model, noise, size="large")
    with pytest.raises(FileNotFoundError, match="no file"):
        segment(model, tmp_path / "missing.png")
    with pytest.raises(InvalidImageError, match="one by one"):
        segment(model, np.zeros((2, 40, 40, 3), np.uint8))


@pytest.fixture(scope="module")
def b0_ade20k(shared: Path) -> SegFormerNetwork:
    config = VARIANTS["b0"].replace(block_norm_epsilon=1e-5, stage_norm_epsilon=1e-5)
    model = SegFormerNetwork(config, label_set=load_label_set("ade20k"))
    assign_state_dict(model, load_file(shared / "weights/b0_ade20k/model.safetensors"), TRANSFORMERS)
    return model


# The weights are a rounded copy of the published ones; the bounds are a little below what they reach.
@pytest.mark.parametrize(("number", "least_accuracy"), [(1, 0.58), (2, 0.84), (3, 0.62)])
def test_pixel_accuracy_on_real_photographs(b0_ade20k, shared: Path, number, least_accuracy):
    samples = shared / "data/ade20k_samples"
    name = f"ADE_val_{number:08}"
    labels = segment(b0_ade20k, samples / "images" / f"{name}.jpg")
    annotation = np.asarray(Image.open(samples / "annotations" / f"{name}.png")).astype(int) - 1
    accuracy = (labels == annotation)[annotation >= 0].mean()
    assert accuracy > least_accuracy
