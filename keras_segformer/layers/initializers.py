"""The initialisers of the original code (`mix_transformer.py`, `_init_weights`; mmcv's `ConvModule`)."""

from __future__ import annotations

import keras


def linear_kernel() -> keras.initializers.Initializer:
    """Normal, standard deviation 0.02: every linear map of the encoder.

    The original calls `trunc_normal_(std=.02)`, which cuts at the absolute values -2 and 2: a hundred
    standard deviations. Keras' `TruncatedNormal` would cut at two of them and so shrink the spread by 12 %.
    """
    return keras.initializers.RandomNormal(stddev=0.02)


def convolution_kernel() -> keras.initializers.Initializer:
    """Normal, variance 2 / fan-out: every convolution of the encoder and the decoder's fusion."""
    return keras.initializers.VarianceScaling(scale=2.0, mode="fan_out", distribution="untruncated_normal")


def torch_default_kernel() -> keras.initializers.Initializer:
    """Uniform in ±1/sqrt(fan-in): the decoder's linear maps, which the original leaves at torch's default."""
    return keras.initializers.VarianceScaling(scale=1 / 3, mode="fan_in", distribution="uniform")


def torch_default_bias(fan_in: int) -> keras.initializers.Initializer:
    """Uniform in ±1/sqrt(fan-in), as torch draws the bias of a linear map with `fan_in` inputs."""
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)
