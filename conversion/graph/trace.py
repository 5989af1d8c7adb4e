"""The network as a TensorFlow function for one image size, built from operations that suit TF Lite and its delegates.

Feature maps are always `(B, H, W, C)`, linear maps of tokens are 1x1 convolutions, no tensor has more than four axes,
and all sizes are static.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from ..choices import InputKind, OutputKind
from .builder import GraphBuilder, LayerRecord
from .decoder import decode
from .encoder import encode
from .network import Network
from .operations import Size, cleaned, join_rows, resize, resized_rows, size_of
from .tiles import Tiling, row_tiles


@dataclasses.dataclass(frozen=True, kw_only=True)
class TracedNetwork:
    """A network as a TensorFlow function.

    Args:
        function: The function, with the weights as constants.
        layers: The layers of its graph.
    """

    function: tf.types.experimental.ConcreteFunction
    layers: tuple[LayerRecord, ...]


def trace_network(
    network: Network,
    input_size: tuple[int | None, int | None],
    input: InputKind = "float32",
    output: OutputKind = "logits",
    tiling: Tiling | None = None,
    batch_size: int = 1,
) -> TracedNetwork:
    """Trace a network with its weights as constants.

    Args:
        network: The network, folded or not.
        input_size: `(height, width)` in pixels, each at least 32; `(None, None)` for a function of any size, which must
            be without tiles.
        input: Data type of the pixels, RGB in 0..255.
        output: What the function returns, under this name, for a batch of `B` images.
            - `"logits"`: `(B, ceil(H / 4), ceil(W / 4), classes)`, float32.
            - `"probabilities"`: `(B, ceil(H / 4), ceil(W / 4), classes)`, float32: the softmax of the logits. If there
              is only one, the probabilities of both classes.
            - `"labels"`: `(B, ceil(H / 4), ceil(W / 4))`, int32: the index of the largest logit. If there is only one
              class, 1 where its logit is positive and 0 elsewhere.
            - `"labels_full"`: `(B, H, W)`, int32: the same for logits upsampled to the size of the image, in row tiles
              if H is a multiple of 4.
        tiling: How much is computed at once; `None` for the defaults of `Tiling`.
        batch_size: `B`, the number of images.

    Returns:
        A function of `images`, `(B, H, W, 3)`, and its layers.

    Example:

    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> traced = trace_network(read_network(SegFormerNetwork(VARIANTS["b0"])), (64, 96), output="labels")
    >>> traced.function.structured_outputs["labels"].shape
    TensorShape([1, 16, 24])
    >>> traced.layers[0].layer.name, traced.layers[0].scopes
    ('stage1/embedding', ('stage1/embedding',))
    """
    builder = GraphBuilder(tiling or Tiling())

    def segment(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: _outputs(tf.cast(images, tf.float32), network, output, builder)}

    specification = tf.TensorSpec((batch_size, *input_size, 3), tf.as_dtype(input), name="images")
    return trace_layers(segment, specification, builder)


def trace_layers(
    compute: Callable[[tf.Tensor], dict[str, tf.Tensor]], specification: tf.TensorSpec, builder: GraphBuilder
) -> TracedNetwork:
    """Trace a function that computes layers.

    Args:
        compute: A function of one tensor. It computes all its layers with the builder, and returns one tensor by name.
        specification: Shape and data type of the input.
        builder: The builder that `compute` uses, without any layers yet.

    Returns:
        The function and its layers.
    """
    # Without AutoGraph: the loops run over layers, not over tensors, so there is no control flow to translate.
    function = tf.function(compute, autograph=False).get_concrete_function(specification)
    returned = function.outputs[0].op.inputs[0].op  # `tf.function` returns a copy of the tensor
    scope = returned.name.rpartition("/")[0]
    layers = [dataclasses.replace(record, computes_output=scope in record.scopes) for record in builder.records]
    return TracedNetwork(function=function, layers=tuple(layers))


def output_shape(
    network: Network, input_size: tuple[int, int], output: OutputKind, batch_size: int = 1
) -> tuple[int, ...]:
    """The shape of the output of a traced network.

    Args:
        network: The network.
        input_size: `(height, width)` in pixels.
        output: See `trace_network`.
        batch_size: The number of images.

    Returns:
        The shape.
    """
    if output == "labels_full":
        return (batch_size, *input_size)
    size = network.foreign.finest_size(input_size) if network.foreign else tuple(-(-side // 4) for side in input_size)
    classes = network.decoder.classifier.bias.size
    channels = {"logits": (classes,), "probabilities": (max(2, classes),)}
    return (batch_size, *size, *channels.get(output, ()))


def _outputs(images: tf.Tensor, network: Network, output: OutputKind, builder: GraphBuilder) -> tf.Tensor:
    features = encode(images, network, builder)
    tiles = decode(features, network.decoder, builder)
    enlarges_to_quarter = network.decoder.stages[0] != 1
    if network.decoder.cleans_registers and (enlarges_to_quarter or output in ("labels", "labels_full")):
        tiles = [cleaned(tile) for tile in tiles]
    if enlarges_to_quarter:
        tiles = [resize(join_rows(tiles), size_of(features[0]))]
    if output == "logits":
        return join_rows(tiles)
    if output == "probabilities":
        return _probabilities(join_rows(tiles))
    if output == "labels_full":
        tiles = _upsampled(join_rows(tiles), size_of(images), builder.tiling)
    return join_rows([_labels(logits) for logits in tiles])


def _upsampled(logits: tf.Tensor, size: Size, tiling: Tiling) -> list[tf.Tensor]:
    """Logits at the size of the image, in row tiles."""
    if tf.is_tensor(size):
        return [resize(logits, size)]
    batch, height, _, classes = logits.shape
    tiles = row_tiles(size[0], batch * size[1] * classes, tiling.enlarged, [height])
    return [resized_rows(logits, size, rows, tiling.rows_first) for rows in tiles]


def _probabilities(logits: tf.Tensor) -> tf.Tensor:
    if logits.shape[3] > 1:
        return tf.nn.softmax(logits)
    second = tf.sigmoid(logits)
    return tf.concat([1.0 - second, second], axis=-1)


def _labels(logits: tf.Tensor) -> tf.Tensor:
    if logits.shape[3] == 1:
        return tf.cast(logits[..., 0] > 0, tf.int32)
    return tf.argmax(logits, axis=-1, output_type=tf.int32)
