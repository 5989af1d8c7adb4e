"""A trained network as plain arrays: what the folds rewrite and the inference graph is built from.

Arrays are float64, so that a chain of folds rounds only once, when the graph is written in float32.

Every layer knows its place in the network. Its name, such as `"stage1/block2/expand"`, is the one that quantisation
recipes, reports and the tensors of a TF Lite file use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from .foreign import ForeignEncoder

Part = TypeVar("Part")
NormForm = Literal["variance", "unit_length", "tokens"]
"""How a norm is computed: by the root of the variance; as a vector of length 1, which one operation of TF Lite does; or
by the variance of `(1, 1, H W, C)`, for targets that take means over the last axis only of such maps."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer and its place in the network.

    Args:
        block: The block, stage or decoder that the layer belongs to: `"stage1/block2"`, `"stage1"` or `"decoder"`.
        role: What the layer does there, such as `"expand"`. Roles are unique within a block.
    """

    block: str
    role: str

    @property
    def name(self) -> str:
        """The name of the layer, such as `"stage1/block2/expand"`."""
        return f"{self.block}/{self.role}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Linear(Layer):
    """`x @ kernel + bias` at every token.

    Args:
        kernel: `(in, out)`.
        bias: `(out,)`.
    """

    kernel: np.ndarray
    bias: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Convolution(Layer):
    """A convolution.

    Args:
        kernel: `(height, width, in, out)`.
        bias: `(out,)`.
        stride: Stride along both axes.
        padding: Number of values added on each side.
        border: `(in,)`, the value that is added in each channel; `None` for zeros.
        limits: The least and the largest value, which the padded input is made to hold in a row that no window sees;
            `None` for the values that it has. With them, a quantiser that takes the range of its input has the same
            steps for all pictures. Only with a border, and a stride greater than 1.
    """

    kernel: np.ndarray
    bias: np.ndarray
    stride: int
    padding: int = 0
    border: np.ndarray | None = None
    limits: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Layer):
    """A convolution of each channel by itself that keeps the size.

    Args:
        kernel: `(height, width, channels, 1)`.
        bias: `(channels,)`.
    """

    kernel: np.ndarray
    bias: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Affine(Layer):
    """`x * gamma + beta` per channel.

    Args:
        gamma: `(channels,)`.
        beta: `(channels,)`.
    """

    gamma: np.ndarray
    beta: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Product(Layer):
    """A matrix product of two activations, which has no weights."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Norm:
    """Layer normalisation without its affine map.

    Args:
        epsilon: Added to the variance.
        centered: Whether the channels of the input are known to have mean 0, so that no mean is subtracted.
        form: How it is computed. `"unit_length"` is for centred inputs; its result is `sqrt(channels)` times smaller.
    """

    epsilon: float
    centered: bool = False
    form: NormForm = "variance"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attention:
    """Efficient self-attention.

    Args:
        num_heads: Number of heads.
        scale: Factor that the queries are multiplied by.
        query: Computes the queries from the tokens.
        key: Computes the keys from the reduced tokens.
        value: Computes the values from the reduced tokens.
        scores: The product of queries and keys.
        mixture: The product of attention weights and values.
        projection: Maps the concatenated heads to the output; `None` if `value` includes it.
        reduction: The spatial reduction; `None` if keys and values are computed from all tokens.
        reduction_norm: The norm after the reduction.
        reduction_affine: The affine map of that norm; `None` if the following maps include it.
        keeps_grid: Whether queries stay `(1, H, W, C)`, and the one row of keys is multiplied with each of their rows:
            fewer operations, for a single head and targets whose matrix products broadcast.
        centers_values: Whether the mean of the values is mixed apart from them; see `center_values`.
    """

    num_heads: int
    scale: float
    query: Linear
    key: Linear
    value: Linear
    scores: Product
    mixture: Product
    projection: Linear | None
    reduction: Convolution | None = None
    reduction_norm: Norm | None = None
    reduction_affine: Affine | None = None
    keeps_grid: bool = False
    centers_values: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeedForward:
    """Mix-FFN.

    Args:
        expand: The first linear map.
        depthwise: The 3x3 convolution; `None` in networks with a learned positional embedding.
        contract: The second linear map.
        activation: The nonlinearity between them: `"gelu"`, `"hard_swish"` or `"relu"`.
    """

    expand: Linear
    depthwise: DepthwiseConvolution | None
    contract: Linear
    activation: str = "gelu"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A transformer block. An affine map is `None` if the following layers include it."""

    norm1: Norm
    affine1: Affine | None
    attention: Attention
    norm2: Norm
    affine2: Affine | None
    ffn: FeedForward


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of the encoder.

    Args:
        name: Its name, such as `"stage1"`.
        embedding: The convolution of the patch embedding.
        embedding_norm: The norm after that convolution.
        start: What follows that norm: its affine map, or a linear map that includes it.
        position: Learned positional embedding `(1, height, width, channels)`, for the grid it was trained on.
        blocks: The transformer blocks.
        norm: The norm after the last block.
        to_next: Affine map of that norm for the next stage.
        to_decoder: Affine map of that norm for the decoder; `None` if the decoder includes it.
        decoder_factors: `(channels,)`, what the decoder's features are multiplied by, for which its weights make up;
            `None` for nothing. No layer: recipes are the same with and without it.
    """

    name: str
    embedding: Convolution
    embedding_norm: Norm
    start: Affine | Linear
    position: np.ndarray | None
    blocks: tuple[Block, ...]
    norm: Norm
    to_next: Affine
    to_decoder: Affine | None
    decoder_factors: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoder:
    """The MLP decoder in the form `classify(relu(batch_norm(sum_i up(branch_i(x_i)))))`.

    Args:
        stages: The stages it reads, counted from 1.
        branches: One linear map for each of these stages, the product of the paper's two.
        batch_norm: Batch norm in inference, which is an affine map; `None` if the branches include it.
        classifier: Maps the fused feature map to logits.
        cleans_registers: Whether a MINIMUM stands between its products and what follows; see `clean_registers`.
    """

    stages: tuple[int, ...]
    branches: tuple[Linear, ...]
    batch_norm: Affine | None
    classifier: Linear
    cleans_registers: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """The whole segmentation network.

    Args:
        mean: Subtracted from the pixels, `(3,)`; `None` if the first convolution includes the subtraction.
        std: What the pixels are then divided by, `(3,)`; `None` if the first convolution includes the division.
        stages: The stages of the encoder; none if it is a foreign one.
        decoder: The decoder.
        foreign: The encoder if it is not a `MixTransformer`.
    """

    mean: np.ndarray | None
    std: np.ndarray | None
    stages: tuple[Stage, ...]
    decoder: Decoder
    foreign: ForeignEncoder | None = None


def map_layers(network: Network, change: Callable[[Linear | Convolution], Linear | Convolution]) -> Network:
    """Replace the linear maps and convolutions of a network.

    Args:
        network: The network.
        change: Called with every linear map and convolution, and returns its replacement. Depthwise convolutions and
            affine maps are left as they are.

    Returns:
        A changed copy.
    """
    return _map_layers(network, change)


def _map_layers(part: Part, change: Callable[[Any], Any]) -> Part:
    if isinstance(part, Linear | Convolution):
        return change(part)
    if isinstance(part, tuple):
        return tuple(_map_layers(each, change) for each in part)
    if not dataclasses.is_dataclass(part) or isinstance(part, ForeignEncoder):
        return part
    fields = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    return dataclasses.replace(part, **{name: _map_layers(value, change) for name, value in fields.items()})
