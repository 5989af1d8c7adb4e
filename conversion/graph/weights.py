"""Reads the weights of a Keras model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_segformer.layers import EfficientSelfAttention, LayerNorm, MixFFN, TransformerBlock
from keras_segformer.models import MixTransformer, MLPDecoder, SegFormerNetwork

from .foreign import ForeignEncoder
from .network import (
    Affine,
    Attention,
    Block,
    Convolution,
    Decoder,
    DepthwiseConvolution,
    FeedForward,
    Linear,
    Network,
    Norm,
    Product,
    Stage,
)


def read_network(model: SegFormerNetwork) -> Network:
    """Read the weights of a model.

    Args:
        model: A segmentation model. It is not modified.

    Returns:
        Its weights and hyper-parameters; of a backbone that is not a `MixTransformer`, the backbone itself.

    Raises:
        ValueError: The model is not a `SegFormerNetwork`, a weight is not finite, or a backbone that is not a
            `MixTransformer` cannot be traced.

    Example:

    >>> from keras_segformer.models import VARIANTS
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"]))
    >>> [len(stage.blocks) for stage in network.stages]
    [2, 2, 2, 2]
    >>> network.stages[0].blocks[1].ffn.expand.name
    'stage1/block2/expand'
    """
    _check(model)
    is_foreign = not isinstance(model.backbone, MixTransformer)
    numbers = () if is_foreign else range(1, len(model.backbone.config.depths) + 1)
    return Network(
        mean=np.asarray(model.config.image_mean, "float64"),
        std=np.asarray(model.config.image_std, "float64"),
        stages=tuple(_stage(model.backbone, number) for number in numbers),
        decoder=_decoder(model.decoder),
        foreign=ForeignEncoder(model.backbone) if is_foreign else None,
    )


def check_model(model: Any) -> None:
    """Refuse anything but a SegFormer.

    Args:
        model: What is to be converted.

    Raises:
        ValueError: It is another model, or the name of a preset.
    """
    if not isinstance(model, SegFormerNetwork):
        raise ValueError(
            f"Only a SegFormer can be converted, not a {type(model).__name__}; load one with `SegFormer.from_preset`."
        )


def _check(model: Any) -> None:
    check_model(model)
    for variable in model.variables:
        if not np.isfinite(_array(variable)).all():
            raise ValueError(f"The weights {variable.path!r} contain NaN or infinity; load or train the model again.")


def _stage(encoder: MixTransformer, number: int) -> Stage:
    name = f"stage{number}"
    embedding, norm = encoder.get_layer(f"{name}_patch_embedding"), encoder.get_layer(f"{name}_norm")
    learned = encoder.config.positional_encoding == "learned"
    return Stage(
        name=name,
        embedding=_convolution(embedding.projection, name, "embedding", padding=embedding.patch_size // 2),
        embedding_norm=_norm(embedding.norm),
        start=_affine(embedding.norm, name, "start"),
        position=_array(encoder.get_layer(f"{name}_positional_embedding").embedding) if learned else None,
        blocks=tuple(
            _block(encoder.get_layer(f"{name}_block{index}"), f"{name}/block{index}")
            for index in range(1, encoder.config.depths[number - 1] + 1)
        ),
        norm=_norm(norm),
        to_next=_affine(norm, name, "to_next"),
        to_decoder=_affine(norm, name, "to_decoder"),
    )


def _block(block: TransformerBlock, name: str) -> Block:
    return Block(
        norm1=_norm(block.norm1),
        affine1=_affine(block.norm1, name, "affine1"),
        attention=_attention(block.attention, name),
        norm2=_norm(block.norm2),
        affine2=_affine(block.norm2, name, "affine2"),
        ffn=_feed_forward(block.ffn, name),
    )


def _attention(layer: EfficientSelfAttention, block: str) -> Attention:
    reduces = layer.sr_ratio > 1
    return Attention(
        num_heads=layer.num_heads,
        scale=(layer.dim // layer.num_heads) ** -0.5,
        query=_linear(layer.query, block, "query"),
        key=_linear(layer.key, block, "key"),
        value=_linear(layer.value, block, "value"),
        scores=Product(block=block, role="scores"),
        mixture=Product(block=block, role="mixture"),
        projection=_linear(layer.projection, block, "projection"),
        reduction=_convolution(layer.reduction, block, "reduction", padding=0) if reduces else None,
        reduction_norm=_norm(layer.reduction_norm) if reduces else None,
        reduction_affine=_affine(layer.reduction_norm, block, "reduction_affine") if reduces else None,
    )


def _feed_forward(layer: MixFFN, block: str) -> FeedForward:
    return FeedForward(
        expand=_linear(layer.expand, block, "expand"),
        depthwise=_depthwise(layer.depthwise, block, "depthwise") if layer.convolution else None,
        contract=_linear(layer.contract, block, "contract"),
        activation=layer.activation,
    )


def _decoder(decoder: MLPDecoder) -> Decoder:
    fusion = decoder.fusion
    # The rows of the fusing kernel belong to the coarsest stage first.
    fuse_kernels = np.split(_array(fusion.fuse_kernel), len(decoder.stages))[::-1]
    kernels = [_array(kernel) @ fuse for kernel, fuse in zip(fusion.linear_kernels, fuse_kernels, strict=True)]
    biases = [_array(bias) @ fuse for bias, fuse in zip(fusion.linear_biases, fuse_kernels, strict=True)]
    return Decoder(
        stages=decoder.stages,
        branches=tuple(
            Linear(block="decoder", role=f"branch{stage}", kernel=kernel, bias=bias)
            for stage, kernel, bias in zip(decoder.stages, kernels, biases, strict=True)
        ),
        batch_norm=_batch_norm(decoder.batch_norm),
        classifier=_linear(decoder.classifier, "decoder", "classifier"),
    )


def _batch_norm(layer: keras.layers.BatchNormalization) -> Affine:
    gamma = _array(layer.gamma) / np.sqrt(_array(layer.moving_variance) + layer.epsilon)
    beta = _array(layer.beta) - _array(layer.moving_mean) * gamma
    return Affine(block="decoder", role="batch_norm", gamma=gamma, beta=beta)


def _linear(layer: keras.layers.Conv2D, block: str, role: str) -> Linear:
    # A 1x1 convolution.
    return Linear(block=block, role=role, kernel=_array(layer.kernel)[0, 0], bias=_array(layer.bias))


def _convolution(layer: keras.layers.Conv2D, block: str, role: str, padding: int) -> Convolution:
    kernel, bias = _array(layer.kernel), _array(layer.bias)
    return Convolution(block=block, role=role, kernel=kernel, bias=bias, stride=layer.strides[0], padding=padding)


def _depthwise(layer: keras.layers.DepthwiseConv2D, block: str, role: str) -> DepthwiseConvolution:
    return DepthwiseConvolution(block=block, role=role, kernel=_array(layer.kernel), bias=_array(layer.bias))


def _norm(layer: LayerNorm) -> Norm:
    return Norm(epsilon=layer.epsilon)


def _affine(layer: LayerNorm, block: str, role: str) -> Affine:
    return Affine(block=block, role=role, gamma=_array(layer.gamma), beta=_array(layer.beta))


def _array(variable: keras.Variable) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value), "float64")
