"""The network for inference at one size, written as TF Lite's kernels and delegates like it.

Feature maps are `(1, H, W, C)` throughout, maps of the tokens are 1x1 convolutions, no tensor has more than four axes
and every size is known.
"""

from __future__ import annotations

import tensorflow as tf

from ..choices import InputKind, OutputKind
from .decoder import decode
from .encoder import encode
from .network import Network
from .primitives import join_rows, resize, resized_rows
from .tiles import Tiling, row_tiles


def inference_function(
    network: Network,
    input_size: tuple[int, int],
    input: InputKind = "float32",
    output: OutputKind = "logits",
    tiling: Tiling | None = None,
) -> tf.types.experimental.ConcreteFunction:
    """Trace the network with its weights as constants.

    Args:
        network: The parameters, folded or not.
        input_size: `(height, width)` in pixels, each at least 32.
        input: Type of the pixels, RGB on the scale 0..255.
        output: What the function returns, under this name.
            - `"logits"`: `(1, ceil(H / 4), ceil(W / 4), classes)`, float32.
            - `"labels"`: `(1, ceil(H / 4), ceil(W / 4))`, int32: the number of the largest logit, or 1 where the only
              one is positive.
            - `"labels_full"`: `(1, H, W)`, int32: the same of the logits enlarged to the size of the image. They are
              enlarged a run of rows at a time where H is a multiple of 4.
        tiling: How much is computed at once.

    Returns:
        A function of `images`, `(1, H, W, 3)`.

    Example:

    >>> from keras_segformer.conversion.graph.network import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"]))
    >>> inference_function(network, (64, 96), output="labels").structured_outputs["labels"].shape
    TensorShape([1, 16, 24])
    """
    tiling = tiling or Tiling()

    def segment(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: _outputs(tf.cast(images, tf.float32), network, output, tiling)}

    images = tf.TensorSpec((1, *input_size, 3), tf.as_dtype(input), name="images")
    # Its loops are over parameters, not over tensors, so that there is no control flow to translate.
    return tf.function(segment, autograph=False).get_concrete_function(images)


def _outputs(images: tf.Tensor, network: Network, output: OutputKind, tiling: Tiling) -> tf.Tensor:
    features = encode(images, network, tiling)
    tiles = decode(features, network.decoder, tiling)
    if network.decoder.stages[0] != 1:
        tiles = [resize(join_rows(tiles), tuple(features[0].shape[1:3]))]
    if output == "logits":
        return join_rows(tiles)
    if output == "labels_full":
        tiles = _enlarged(join_rows(tiles), tuple(images.shape[1:3]), tiling)
    return join_rows([_labels(logits) for logits in tiles])


def _enlarged(logits: tf.Tensor, size: tuple[int, int], tiling: Tiling) -> list[tf.Tensor]:
    """Logits at the size of the image, in runs of rows."""
    _, height, _, classes = logits.shape
    tiles = row_tiles(size[0], size[1] * classes, tiling.enlarged, [height])
    return [resized_rows(logits, size, rows) for rows in tiles]


def _labels(logits: tf.Tensor) -> tf.Tensor:
    if logits.shape[3] == 1:
        return tf.cast(logits[..., 0] > 0, tf.int32)
    return tf.argmax(logits, axis=-1, output_type=tf.int32)
