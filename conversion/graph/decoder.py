"""The decoder of the inference graph."""

from __future__ import annotations

import tensorflow as tf

from .builder import GraphBuilder
from .network import Decoder
from .operations import resized_rows, size_of, take_rows
from .tiles import Rows, row_tiles


def decode(features: list[tf.Tensor], decoder: Decoder, builder: GraphBuilder) -> list[tf.Tensor]:
    """Compute logits at the size of the finest feature map that the decoder reads, in row tiles.

    Args:
        features: The maps of the stages, finest first.
        decoder: The decoder, folded or not.
        builder: Records the layers, and limits the size of the fused map held at once.

    Returns:
        From top to bottom, `(B, rows, W, classes)`. There is only one tile if the height of the finest map is not a
        multiple of the height of every other map; it is for images whose height is a multiple of 32.
    """
    finest, *coarser = [features[stage - 1] for stage in decoder.stages]
    # Mapped before upsampling: the two commute, and the small map is cheaper.
    coarser = [builder.apply(x, branch) for x, branch in zip(coarser, decoder.branches[1:], strict=True)]
    batch, height, width, _ = finest.shape
    values_per_row = batch * (width or 1) * decoder.branches[0].kernel.shape[1]
    tiles = row_tiles(height, values_per_row, builder.tiling.fused, [x.shape[1] for x in coarser])
    return [_decode_rows(finest, coarser, rows, decoder, builder) for rows in tiles]


def _decode_rows(
    finest: tf.Tensor, coarser: list[tf.Tensor], rows: Rows, decoder: Decoder, builder: GraphBuilder
) -> tf.Tensor:
    size = size_of(finest)
    # Coarsest first: its map is computed last, so each upsampled map is added as soon as it exists.
    tiling = builder.tiling
    parts = [resized_rows(x, size, rows, tiling.rows_first, decoder.cleans_registers) for x in reversed(coarser)]
    parts.append(builder.apply(take_rows(finest, rows), decoder.branches[0]))
    fused = builder.apply(sum(parts[1:], parts[0]), decoder.batch_norm)
    return builder.apply(tf.nn.relu(fused), decoder.classifier)
