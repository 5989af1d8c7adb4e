"""CNNs of `keras.applications` under the MLP decoder, which the paper compares the Mix Transformer with."""

from __future__ import annotations

import difflib
import sys
from typing import NamedTuple

import keras
import numpy as np

from keras_segformer.analysis.network_parts import network_parts
from keras_segformer.models import SegFormerConfig

_STRIDES = (4, 8, 16, 32)
_PROBE = 256
"""Side in pixels of the picture by which strides are told apart."""


class CNNBackbone(NamedTuple):
    """What a `SegFormer` with a CNN is made of.

    Args:
        config: Its configuration, with the normalisation that the CNN was trained with.
        backbone: From normalised pictures to maps of strides 4, 8, 16 and 32.
    """

    config: SegFormerConfig
    backbone: keras.Model


def cnn_backbone(name: str, weights: str | None = "imagenet", **overrides: object) -> CNNBackbone:
    """Makes an encoder of a network of `keras.applications`.

    Its four maps are the last ones of strides 4, 8, 16 and 32 through which everything passes: in a ResNet, the outputs
    of its four groups of blocks.

    Args:
        name: Such as `"ResNet50"`.
        weights: `"imagenet"`, which Keras downloads, or `None` for random ones.
        **overrides: Fields of `SegFormerConfig`, such as `num_classes` or `decoder_width`.

    Returns:
        Configuration and encoder, in the order of the arguments of `SegFormer`.

    Raises:
        ConnectionError: The weights cannot be downloaded.
        ValueError: There is no such network, or it lacks a map of one of the strides.

    Example:

    ```python
    model = keras_segformer.SegFormer(*analysis.cnn_backbone("ResNet50", num_classes=11))
    ```
    """
    constructor = _constructor(name)
    network = _build(constructor, name, weights)
    tensors = [part.outputs[-1] for part in network_parts(network)]
    shapes = keras.Model(network.input, tensors).compute_output_shape((1, _PROBE, _PROBE, 3))
    found = {shape[1]: tensor for shape, tensor in zip(shapes, tensors, strict=True) if len(set(shape[1:3])) == 1}
    missing = [stride for stride in _STRIDES if _PROBE // stride not in found]
    if missing:
        raise ValueError(
            f"{name} has no feature map of stride {missing[0]} through which everything passes; choose another "
            "network, such as ResNet50."
        )
    mean, std, is_bgr = normalisation(constructor)
    if is_bgr:
        _reverse_input_channels(network)
    config = SegFormerConfig(encoder=None, image_mean=mean, image_std=std).replace(**overrides)
    maps = [found[_PROBE // stride] for stride in _STRIDES]
    return CNNBackbone(config, keras.Model(network.input, maps, name="backbone"))


def normalisation(constructor: type[keras.Model]) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
    """Reads off a network's `preprocess_input` what it does to pictures, since Keras does not say it.

    Args:
        constructor: One of `keras.applications`.

    Returns:
        Mean and standard deviation `(3,)` in the order RGB, and whether the network takes BGR.

    Example:

    >>> normalisation(keras.applications.MobileNetV2)
    ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5), False)
    """
    preprocess = sys.modules[constructor.__module__].preprocess_input
    colors = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], np.float32)
    black, white, red = np.asarray(preprocess(colors.reshape(1, 1, 3, 3).copy()), np.float64)[0, 0]
    is_bgr = bool(red[0] == black[0])
    std = 255 / (white - black)
    mean = 0 - black * std  # not "-black", which may be -0
    return tuple(mean[:: -1 if is_bgr else 1].tolist()), tuple(std[:: -1 if is_bgr else 1].tolist()), is_bgr


def _constructor(name: str) -> type[keras.Model]:
    names = [each for each in dir(keras.applications) if each[0].isupper()]
    if name not in names:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0) or ["ResNet50"]
        raise ValueError(f"There is no network {name!r} in keras.applications; did you mean {nearest[0]!r}?")
    return getattr(keras.applications, name)


def _build(constructor: type[keras.Model], name: str, weights: str | None) -> keras.Model:
    try:
        return constructor(include_top=False, weights=weights, input_shape=(None, None, 3))
    except Exception as error:
        if "URL fetch failure" not in str(error):  # the message of Keras' downloads
            raise
        raise ConnectionError(
            f"The ImageNet weights of {name} cannot be downloaded; connect to the internet, or take random weights."
        ) from error


def _reverse_input_channels(network: keras.Model) -> None:
    """Lets a network that was trained on BGR take RGB."""
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    first.kernel.assign(np.asarray(first.kernel)[:, :, ::-1])
