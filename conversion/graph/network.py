"""A trained network as plain arrays: what the folds rewrite and the inference graph is built from.

Arrays are float64, so that a chain of folds rounds once, when the graph is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_segformer.layers import EfficientSelfAttention, LayerNorm, MixFFN, TransformerBlock
from keras_segformer.models import MixTransformer, MLPDecoder, SegFormerNetwork

_NAMES_IN_LISTS = {"stages": "stage", "blocks": "block", "branches": "branch"}
_WITHOUT_SCOPE = ("attention", "ffn")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Linear:
    """`x @ kernel + bias` at every token.

    Args:
        kernel: `(in, out)`.
        bias: `(out,)`.
    """

    kernel: np.ndarray
    bias: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution behind a border of zeros.

    Args:
        kernel: `(height, width, in, out)`.
        bias: `(out,)`.
        stride: Stride of both axes.
        padding: Zeros added at every border.
    """

    kernel: np.ndarray
    bias: np.ndarray
    stride: int
    padding: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Affine:
    """`x * gamma + beta` per channel; both `(channels,)`."""

    gamma: np.ndarray
    beta: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Norm:
    """Layer norm without its affine map.

    Args:
        epsilon: Added to the variance.
        centered: Whether the channels of its input are known to have the mean 0, so that none is subtracted.
    """

    epsilon: float
    centered: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attention:
    """Efficient self-attention.

    Args:
        num_heads: Heads.
        scale: Factor of the queries.
        query: From the tokens.
        key: From the reduced tokens.
        value: From the reduced tokens.
        projection: From the heads side by side; `None` where `value` contains it.
        reduction: The spatial reduction; `None` where keys and values are those of every token.
        reduction_norm: The norm behind it.
        reduction_affine: The affine map of that norm; `None` where there is none.
    """

    num_heads: int
    scale: float
    query: Linear
    key: Linear
    value: Linear
    projection: Linear | None
    reduction: Convolution | None = None
    reduction_norm: Norm | None = None
    reduction_affine: Affine | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeedForward:
    """Mix-FFN.

    Args:
        expand: The first linear map.
        depthwise: `(kernel (3, 3, channels, 1), bias (channels,))`; `None` in networks with a learned position.
        contract: The second linear map.
    """

    expand: Linear
    depthwise: tuple[np.ndarray, np.ndarray] | None
    contract: Linear


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A transformer block; an affine map of `None` means none."""

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
        embedding: The convolution of the patch embedding.
        embedding_norm: The norm behind it.
        start: The map behind that norm: its affine map, or a linear one that contains it.
        position: Learned embedding `(1, height, width, channels)` for the grid it was learned on.
        blocks: The transformer blocks.
        norm: The norm at the end.
        to_next: Its affine map on the way to the next stage.
        to_decoder: Its affine map on the way to the decoder; `None` where the decoder contains it.
    """

    embedding: Convolution
    embedding_norm: Norm
    start: Affine | Linear
    position: np.ndarray | None
    blocks: tuple[Block, ...]
    norm: Norm
    to_next: Affine
    to_decoder: Affine | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoder:
    """The MLP decoder in the form `classify(relu(batch_norm(sum_i up(branch_i(x_i)))))`.

    Args:
        stages: Which stages it reads, counted from 1.
        branches: One linear map for each of them, the product of the paper's two.
        batch_norm: The affine map that batch norm is in inference; `None` where the branches contain it.
        classifier: From the fused map to logits.
    """

    stages: tuple[int, ...]
    branches: tuple[Linear, ...]
    batch_norm: Affine | None
    classifier: Linear


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """The whole segmenter.

    Args:
        mean: Subtracted from the pixels, `(3,)`.
        std: What they are divided by then, `(3,)`; `None` where the first convolution contains it.
        stages: The encoder's.
        decoder: The decoder.
    """

    mean: np.ndarray
    std: np.ndarray | None
    stages: tuple[Stage, ...]
    decoder: Decoder


def read_network(model: SegFormerNetwork) -> Network:
    """Read the parameters of a model.

    Args:
        model: A segmenter whose encoder is a `MixTransformer`.

    Returns:
        Its parameters; the model is left as it is.

    Raises:
        ValueError: The model is none of ours, its backbone is another one, or a weight is not finite.

    Example:

    >>> from keras_segformer.models import VARIANTS
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"]))
    >>> [len(stage.blocks) for stage in network.stages]
    [2, 2, 2, 2]
    """
    _check(model)
    return Network(
        mean=np.asarray(model.config.image_mean, "float64"),
        std=np.asarray(model.config.image_std, "float64"),
        stages=tuple(_stage(model.backbone, number) for number in range(1, len(model.backbone.config.depths) + 1)),
        decoder=_decoder(model.decoder),
    )


def map_layers(network: Network, change: Callable[[str, Linear | Convolution], Linear | Convolution]) -> Network:
    """Change the linear maps and convolutions of a network.

    Args:
        network: The network.
        change: From the name that a layer has in the inference graph, such as `"stage1/block2/expand"`, and the layer
            to another. Depthwise convolutions and affine maps are left alone.

    Returns:
        A changed copy.
    """
    return _map_layers(network, "", change)


def _map_layers(value: Any, scope: str, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, Linear | Convolution):
        return change(scope, value)
    if not isinstance(value, Network | Stage | Block | Attention | FeedForward | Decoder):
        return value
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        name, old = field.name, getattr(value, field.name)
        if name in _NAMES_IN_LISTS and not isinstance(old[0], int):
            numbers = value.stages if isinstance(value, Decoder) else range(1, len(old) + 1)
            names = [_join(scope, f"{_NAMES_IN_LISTS[name]}{number}") for number in numbers]
            changed[name] = tuple(_map_layers(each, inner, change) for each, inner in zip(old, names, strict=True))
        else:
            changed[name] = _map_layers(old, scope if name in _WITHOUT_SCOPE else _join(scope, name), change)
    return dataclasses.replace(value, **changed)


def _join(scope: str, name: str) -> str:
    return f"{scope}/{name}" if scope else name


def _check(model: Any) -> None:
    if not isinstance(model, SegFormerNetwork):
        raise ValueError(
            f"Only a SegFormer can be converted, not a {type(model).__name__}; load one with `SegFormer.from_preset`."
        )
    if not isinstance(model.backbone, MixTransformer):
        raise ValueError(
            f"The backbone {model.backbone.name!r} is no MixTransformer, whose layers alone the conversion knows; "
            "convert a model whose config has an encoder."
        )
    for variable in model.variables:
        if not np.isfinite(_array(variable)).all():
            raise ValueError(f"The weights {variable.path!r} hold NaN or infinity; load or train the model again.")


def _stage(encoder: MixTransformer, number: int) -> Stage:
    embedding = encoder.get_layer(f"stage{number}_patch_embedding")
    learned = encoder.config.positional_encoding == "learned"
    norm = encoder.get_layer(f"stage{number}_norm")
    return Stage(
        embedding=_convolution(embedding.projection, padding=embedding.patch_size // 2),
        embedding_norm=_norm(embedding.norm),
        start=_affine(embedding.norm),
        position=_array(encoder.get_layer(f"stage{number}_positional_embedding").embedding) if learned else None,
        blocks=tuple(
            _block(encoder.get_layer(f"stage{number}_block{index}"))
            for index in range(1, encoder.config.depths[number - 1] + 1)
        ),
        norm=_norm(norm),
        to_next=_affine(norm),
        to_decoder=_affine(norm),
    )


def _block(block: TransformerBlock) -> Block:
    return Block(
        norm1=_norm(block.norm1),
        affine1=_affine(block.norm1),
        attention=_attention(block.attention),
        norm2=_norm(block.norm2),
        affine2=_affine(block.norm2),
        ffn=_feed_forward(block.ffn),
    )


def _attention(layer: EfficientSelfAttention) -> Attention:
    reduces = layer.sr_ratio > 1
    return Attention(
        num_heads=layer.num_heads,
        scale=(layer.dim // layer.num_heads) ** -0.5,
        query=_linear(layer.query),
        key=_linear(layer.key),
        value=_linear(layer.value),
        projection=_linear(layer.projection),
        reduction=_convolution(layer.reduction, padding=0) if reduces else None,
        reduction_norm=_norm(layer.reduction_norm) if reduces else None,
        reduction_affine=_affine(layer.reduction_norm) if reduces else None,
    )


def _feed_forward(layer: MixFFN) -> FeedForward:
    depthwise = layer.depthwise if layer.convolution else None
    return FeedForward(
        expand=_linear(layer.expand),
        depthwise=depthwise and (_array(depthwise.kernel), _array(depthwise.bias)),
        contract=_linear(layer.contract),
    )


def _decoder(decoder: MLPDecoder) -> Decoder:
    fusion, batch_norm = decoder.fusion, decoder.batch_norm
    fuse_kernels = np.split(_array(fusion.fuse_kernel), len(decoder.stages))[::-1]  # the file has the coarsest first
    branches = [
        Linear(kernel=_array(kernel) @ fuse, bias=_array(bias) @ fuse)
        for kernel, bias, fuse in zip(fusion.linear_kernels, fusion.linear_biases, fuse_kernels, strict=True)
    ]
    gamma = _array(batch_norm.gamma) / np.sqrt(_array(batch_norm.moving_variance) + batch_norm.epsilon)
    return Decoder(
        stages=decoder.stages,
        branches=tuple(branches),
        batch_norm=Affine(gamma=gamma, beta=_array(batch_norm.beta) - _array(batch_norm.moving_mean) * gamma),
        classifier=_linear(decoder.classifier),
    )


def _linear(layer: keras.layers.Conv2D) -> Linear:
    return Linear(kernel=_array(layer.kernel)[0, 0], bias=_array(layer.bias))


def _convolution(layer: keras.layers.Conv2D, padding: int) -> Convolution:
    return Convolution(kernel=_array(layer.kernel), bias=_array(layer.bias), stride=layer.strides[0], padding=padding)


def _norm(layer: LayerNorm) -> Norm:
    return Norm(epsilon=layer.epsilon)


def _affine(layer: LayerNorm) -> Affine:
    return Affine(gamma=_array(layer.gamma), beta=_array(layer.beta))


def _array(variable: keras.Variable) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value), "float64")
