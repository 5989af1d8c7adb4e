"""Settings and methods of Keras that mean something else here, refused with what to use instead."""

from __future__ import annotations

from typing import Any, NoReturn

import keras

_PROBED_SIDE = 512


def check_channels_last() -> None:
    """Raises where Keras is set to images `(B, C, H, W)`.

    Raises:
        ValueError: The image data format is "channels_first".

    Example:

    >>> check_channels_last()
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "SegFormer takes images (B, H, W, 3), and Keras is set to channels first; call "
            '`keras.config.set_image_data_format("channels_last")` before you make the model.'
        )


def check_backbone(backbone: Any) -> None:
    """Raises for a backbone whose maps the decoder would take for others.

    Args:
        backbone: What was given.

    Raises:
        ValueError: It is not a Keras model, or its first feature map is not the finest, whose size the logits have.

    Example:

    >>> images = keras.Input((None, None, 3))
    >>> check_backbone(keras.Model(images, [keras.layers.Conv2D(8, 3, strides=4, padding="same")(images)] * 4))
    """
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            f"`backbone` must be a Keras model from images to four feature maps; got {backbone!r}: name what was "
            "meant, as in `num_classes=11`."
        )
    strides = _map_strides(backbone)
    if strides and min(strides) != strides[0]:
        raise ValueError(
            f"The feature maps of the backbone have the strides {strides}, and the decoder takes the finest first, "
            "whose size its logits have; name the outputs in the order of their strides, such as 4, 8, 16, 32."
        )


def _map_strides(backbone: keras.Model) -> list[int]:
    """The strides of the feature maps; empty where Keras cannot infer them, or the outputs are not maps."""
    shape = backbone.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4:
        return []
    height, width = (side or _PROBED_SIDE for side in shape[1:3])
    try:
        shapes = backbone.compute_output_shape((1, height, width, shape[3]))
    except Exception:  # of layers that are only known when they run
        return []
    maps = shapes if isinstance(shapes, list | tuple) else []
    if not all(isinstance(each, tuple) and len(each) == 4 and all(each[1:3]) for each in maps):
        return []
    return [round(height / each[1]) for each in maps]


def refuse_quantization(mode: Any) -> NoReturn:
    """Raises for `model.quantize`.

    Args:
        mode: What was asked for.

    Raises:
        NotImplementedError: Always.
    """
    raise NotImplementedError(
        f"`quantize({mode!r})` would leave every layer of a SegFormer as it is; write an 8-bit TF Lite file with "
        '`keras_segformer.conversion.convert(model, "model.tflite", precision="int8")`.'
    )
