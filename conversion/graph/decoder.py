"""The decoder of the inference graph."""

from __future__ import annotations

import tensorflow as tf

from .network import Decoder
from .primitives import apply, resized_rows, take_rows
from .tiles import Rows, Tiling, row_tiles


def decode(features: list[tf.Tensor], decoder: Decoder, tiling: Tiling) -> list[tf.Tensor]:
    """Logits at the size of the finest map that the decoder reads, in runs of rows.

    Args:
        features: The maps of all four stages, finest first.
        decoder: The parameters, folded or not.
        tiling: Bound of the fused map that is held at once.

    Returns:
        From top to bottom, `(1, rows, W, classes)`. There is one run where the height of a map does not divide that
        of the finest; at images whose height is a multiple of 32 each does.
    """
    finest, *coarser = [features[stage - 1] for stage in decoder.stages]
    # Mapped before they are enlarged: the two commute, and the small map is cheaper.
    named = zip(coarser, decoder.branches[1:], decoder.stages[1:], strict=True)
    coarser = [apply(x, branch, f"decoder/branch{stage}") for x, branch, stage in named]
    _, height, width, _ = finest.shape
    values_per_row = width * decoder.branches[0].kernel.shape[1]
    tiles = row_tiles(height, values_per_row, tiling.fused, [x.shape[1] for x in coarser])
    return [_decode_rows(finest, coarser, rows, decoder) for rows in tiles]


def _decode_rows(finest: tf.Tensor, coarser: list[tf.Tensor], rows: Rows, decoder: Decoder) -> tf.Tensor:
    size = tuple(finest.shape[1:3])
    # From the coarsest: it is there last, and so every enlarged map is added as soon as it is made.
    parts = [resized_rows(x, size, rows) for x in reversed(coarser)]
    parts.append(apply(take_rows(finest, rows), decoder.branches[0], f"decoder/branch{decoder.stages[0]}"))
    fused = apply(sum(parts[1:], parts[0]), decoder.batch_norm, "decoder/batch_norm")
    return apply(tf.nn.relu(fused), decoder.classifier, "decoder/classifier")
