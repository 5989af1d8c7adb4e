"""Settings and methods of Keras that mean something else here, refused with what to use instead."""

from __future__ import annotations

from typing import Any, NoReturn

import keras


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
