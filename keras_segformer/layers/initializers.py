"""The initialisers of the original code (`mix_transformer.py`, `_init_weights`; mmcv's `ConvModule`)."""

from __future__ import annotations

import keras


def linear_kernel() -> keras.initializers.Initializer:
    """Returns the initialiser of the encoder's linear maps: normal, with standard deviation 0.02.

    The original calls `trunc_normal_(std=.02)`, which truncates at the absolute values -2 and 2: a hundred standard
    deviations. Keras' `TruncatedNormal` would truncate at two of them and so reduce the spread by 12 %.
    """
    return keras.initializers.RandomNormal(stddev=0.02)


def convolution_kernel() -> keras.initializers.Initializer:
    """Returns the initialiser of the encoder's convolutions and the decoder's fusion: normal, variance 2 / fan-out."""
    return keras.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal")


def torch_default_kernel() -> keras.initializers.Initializer:
    """Returns the initialiser of the decoder's linear maps, torch's default: uniform in ±1/sqrt(fan-in)."""
    return keras.initializers.VarianceScaling(scale=1 / 3, mode="fan_in", distribution="uniform")


def torch_default_bias(fan_in: int) -> keras.initializers.Initializer:
    """Returns torch's default initialiser for the bias of a linear map: uniform in ±1/sqrt(fan-in).

    Args:
        fan_in: Input channels of the map.
    """
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)
