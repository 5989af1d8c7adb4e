"""Adds the operations of a network to an ONNX graph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from ..graph.network import Affine, Convolution, DepthwiseConvolution, Linear, Norm

IR_VERSION = 8
"""The version of the file format that came with opset 17."""


class OnnxBuilder:
    """Collects the nodes and weights of a graph; its methods take and return the names of tensors.

    Feature maps are `(B, H, W, C)`, as in Keras: linear maps and layer norms work on the last axis, and ONNX Runtime
    merges the transposes around convolutions into the reordering that its convolutions need anyway.

    Attributes:
        nodes: The nodes so far, each after those whose outputs it reads.
        weights: The constants that they read.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._constants: dict[tuple[Any, ...], str] = {}
        self._count = 0

    def add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node with one output.

        Args:
            operation: An operation of ONNX.
            *inputs: The tensors that it reads; empty texts for optional ones that are left out.
            name: What the output is called; numbered by default.
            **attributes: Those of the operation.

        Returns:
            The output.
        """
        self._count += 1
        output = name or f"{operation}_{self._count}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], name=f"{output}/node", **attributes))
        return output

    def constant(self, values: Any, dtype: str = "float32") -> str:
        """Add a constant, or find the one of the same values.

        Args:
            values: Numbers of any shape.
            dtype: Their data type in the file.

        Returns:
            The constant.
        """
        array = np.ascontiguousarray(values, dtype)
        key = (dtype, np.shape(values), array.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self.weights.append(numpy_helper.from_array(array.reshape(np.shape(values)), name))
            self._constants[key] = name
        return self._constants[key]

    def integers(self, *values: int) -> str:
        """Add a vector of integers, such as a shape or axes."""
        return self.constant(values, "int64")

    def linear(self, x: str, layer: Linear, residual: str = "") -> str:
        """Compute a linear map of every token.

        Args:
            x: `(B, H, W, in)`.
            layer: The map.
            residual: `(B, H, W, out)`, added to the result.

        Returns:
            `(B, H, W, out)`.
        """
        product = self.add("MatMul", x, self.constant(layer.kernel))
        result = self.add("Add", product, self.constant(layer.bias))
        return self.add("Add", result, residual) if residual else result

    def convolve(self, x: str, layer: Convolution | DepthwiseConvolution) -> str:
        """Compute a convolution.

        Args:
            x: `(B, H, W, in)`.
            layer: The convolution.

        Returns:
            `(B, height, width, out)`.
        """
        kernel = np.transpose(layer.kernel, (3, 2, 0, 1))  # (out, in, height, width)
        attributes: dict[str, Any] = {"strides": [1, 1], "pads": [kernel.shape[2] // 2] * 4}
        if isinstance(layer, DepthwiseConvolution):
            kernel = np.transpose(layer.kernel, (2, 3, 0, 1))  # (channels, 1, height, width)
            attributes["group"] = kernel.shape[0]
        else:
            attributes = {"strides": [layer.stride] * 2, "pads": [layer.padding] * 4}
        channels_first = self.add("Transpose", x, perm=[0, 3, 1, 2])
        result = self.add("Conv", channels_first, self.constant(kernel), self.constant(layer.bias), **attributes)
        return self.add("Transpose", result, perm=[0, 2, 3, 1])

    def normalize(self, x: str, norm: Norm, affine: Affine) -> str:
        """Compute a layer norm over the channels.

        Args:
            x: `(..., C)`.
            norm: Its epsilon.
            affine: Its affine map.

        Returns:
            The same shape.
        """
        return self.add(
            "LayerNormalization",
            x,
            self.constant(affine.gamma),
            self.constant(affine.beta),
            axis=-1,
            epsilon=norm.epsilon,
        )

    def activate(self, x: str, name: str) -> str:
        """Apply the nonlinearity of Mix-FFN: `"gelu"`, `"hard_swish"` or `"relu"`."""
        if name == "gelu":
            return self._gelu(x)
        return self.add("Relu" if name == "relu" else "HardSwish", x)

    def _gelu(self, x: str) -> str:
        """Compute the exact GELU by Erf, which every version of ONNX has; runtimes find the chain and fuse it."""
        erf = self.add("Erf", self.add("Div", x, self.constant(math.sqrt(2))))
        gate = self.add("Mul", x, self.add("Add", erf, self.constant(1.0)))
        return self.add("Mul", gate, self.constant(0.5))

    def reshape(self, x: str, shape: Sequence[int] | str) -> str:
        """Reshape; 0 keeps the length of an axis and -1 is what remains."""
        return self.add("Reshape", x, shape if isinstance(shape, str) else self.integers(*shape))

    def size(self, x: str) -> str:
        """The height and width of a feature map, as a vector."""
        return self.add("Slice", self.add("Shape", x), self.integers(1), self.integers(3))

    def resize(self, x: str, size: str, channels: int) -> str:
        """Resize bilinearly with half-pixel centres.

        Args:
            x: `(B, H, W, C)`.
            size: The new height and width, a vector.
            channels: `C`.

        Returns:
            `(B, height, width, C)`.
        """
        batch = self.add("Slice", self.add("Shape", x), self.integers(0), self.integers(1))
        shape = self.add("Concat", batch, size, self.integers(channels), axis=0)
        return self.add("Resize", x, "", "", shape, mode="linear", coordinate_transformation_mode="half_pixel")
