"""The decoder as the paper writes it, to hold ours against."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers import MultiLevelFusion


class LiteralFusion(keras.layers.Layer):
    """Map every stage to `width` channels, enlarge to the finest, concatenate coarsest first, map the concat."""

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        self.linears = [keras.layers.Conv2D(self.width, 1) for _ in input_shape]
        for linear, shape in zip(self.linears, input_shape, strict=True):
            linear.build(shape)
        self.fuse = keras.layers.Conv2D(self.width, 1, use_bias=False)
        self.fuse.build((*input_shape[0][:3], len(input_shape) * self.width))

    def call(self, inputs: list[Any]) -> Any:
        size = tuple(ops.shape(inputs[0])[1:3])
        maps = [linear(x) for linear, x in zip(self.linears, inputs, strict=True)]
        enlarged = [ops.image.resize(x, size, interpolation="bilinear") for x in maps]
        return self.fuse(ops.concatenate(enlarged[::-1], axis=-1))

    def pairs(self, ours: MultiLevelFusion) -> list[tuple[keras.Variable, keras.Variable]]:
        """The variables of our layer, each with the one that it corresponds to here."""
        kernels = zip(ours.linear_kernels, (linear.kernel for linear in self.linears), strict=True)
        biases = zip(ours.linear_biases, (linear.bias for linear in self.linears), strict=True)
        return [*kernels, *biases, (ours.fuse_kernel, self.fuse.kernel)]

    def take_weights(self, ours: MultiLevelFusion) -> None:
        """The same parameters as those of our layer."""
        for variable, literal_variable in self.pairs(ours):
            literal_variable.assign(ops.convert_to_numpy(variable).reshape(literal_variable.shape))
