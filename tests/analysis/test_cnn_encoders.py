"""Networks of keras.applications as encoders."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer import SegFormer
from keras_segformer.analysis import cnn_backbone
from keras_segformer.analysis.cnn_encoders import normalisation


def test_maps_normalisation_and_head(monkeypatch):
    """VGG16 takes BGR: with the normalisation of the config and the kernel reversed, RGB gives what BGR gave."""
    keras.utils.set_random_seed(0)
    build, built = keras.applications.VGG16, []

    def remembered(**options):
        built.append(build(**options))
        before.append(np.array(first_layer().kernel))
        return built[0]

    def first_layer():
        return next(layer for layer in built[0].layers if isinstance(layer, keras.layers.Conv2D))

    before: list[np.ndarray] = []
    remembered.__module__ = build.__module__
    monkeypatch.setattr(keras.applications, "VGG16", remembered)
    config, backbone = cnn_backbone("VGG16", weights=None, num_classes=4, decoder_width=8)
    names = [tensor._keras_history.operation.name for tensor in backbone.outputs]
    assert names == ["block3_conv3", "block4_conv3", "block5_conv3", "block5_pool"]
    image = np.random.default_rng(0).uniform(0, 255, (1, 64, 96, 3)).astype(np.float32)
    assert SegFormer(config, backbone)(image).shape == (1, 64, 96, 4)
    normalised = (image - np.array(config.image_mean)) / np.array(config.image_std)
    ours = keras.ops.convert_to_numpy(first_layer()(normalised.astype(np.float32)))
    first_layer().kernel.assign(before[0])
    expected = first_layer()(keras.applications.vgg16.preprocess_input(image.copy()))
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "mean", "std", "reversed"),
    [
        ("ResNet50", (123.68, 116.779, 103.939), (1, 1, 1), True),
        ("MobileNetV2", (127.5,) * 3, (127.5,) * 3, False),
        ("DenseNet121", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), False),
        ("EfficientNetB0", (0, 0, 0), (1, 1, 1), False),
    ],
)
def test_normalisation_is_read_off_the_preprocessing(name, mean, std, reversed):
    found = normalisation(getattr(keras.applications, name))
    np.testing.assert_allclose(found[:2], (mean, std), rtol=1e-5, atol=1e-6)
    assert found[2] == reversed


def test_what_does_not_fit_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"no network 'ResNet5' in keras\.applications; did you mean 'ResNet50'"):
        cnn_backbone("ResNet5")

    def no_maps(**options):
        images = keras.Input((None, None, 3))
        return keras.Model(images, keras.layers.Conv2D(3, 2, strides=4)(images))

    monkeypatch.setattr(keras.applications, "MobileNet", no_maps)
    with pytest.raises(ValueError, match="MobileNet has no feature map of stride 8"):
        cnn_backbone("MobileNet")

    def offline(**options):
        raise Exception("URL fetch failure on https://example.org: None -- unreachable")

    monkeypatch.setattr(keras.applications, "MobileNet", offline)
    with pytest.raises(ConnectionError, match="weights of MobileNet cannot be downloaded; connect"):
        cnn_backbone("MobileNet")
