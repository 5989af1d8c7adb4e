"""Infers the hyper-parameters of a checkpoint without a config from the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from keras_segformer.errors import InvalidPresetError, WeightsMismatchError
from keras_segformer.models.config import NUM_STAGES, MixTransformerConfig, SegFormerConfig
from keras_segformer.models.variants import VARIANTS
from keras_segformer.presets.layouts import Layout, source_of


def infer_config(tensors: Mapping[str, np.ndarray], layout: Layout) -> SegFormerConfig:
    """Infers widths, depths, reductions and expansions from the tensors.

    The number of attention heads leaves no trace in them; it is 1, 2, 5, 8 in every published MiT and PVTv2.
    The epsilons are the original code's, which timm shares.

    Args:
        tensors: Arrays by key, as torch keeps them.
        layout: The spelling of the keys.

    Returns:
        The config. `num_classes` is the width of the decoder's classifier or of the ImageNet head.

    Raises:
        WeightsMismatchError: A tensor that every checkpoint of the layout has is missing.
        InvalidPresetError: The shapes are not those of a SegFormer.

    Example:

    ```python
    infer_config(read_tensors("segformer.b0.512x512.ade.160k.pth"), OFFICIAL)
    ```
    """
    stages = [_infer_stage(tensors, layout, f"stage{stage}") for stage in range(1, NUM_STAGES + 1)]
    values = {name: tuple(stage[name] for stage in stages) for name in stages[0]}
    fuse, classifier, head = (
        _shape(tensors, layout, path)
        for path in ("decoder/fusion/fuse_kernel", "decoder/classifier/kernel", "head/kernel")
    )
    try:
        encoder = MixTransformerConfig(**values)
        width = fuse[0] if fuse else _usual_decoder_width(encoder)
        classes = classifier or head
        return SegFormerConfig(encoder=encoder, decoder_width=width, **({"num_classes": classes[0]} if classes else {}))
    except ValueError as error:
        raise InvalidPresetError(f"The shapes of these {layout.name} tensors make no SegFormer: {error}") from error


def _usual_decoder_width(encoder: MixTransformerConfig) -> int:
    """The decoder width of the published variant with this encoder's depths and widths."""
    for variant in VARIANTS.values():
        if (variant.encoder.embed_dims, variant.encoder.depths) == (encoder.embed_dims, encoder.depths):
            return variant.decoder_width
    return SegFormerConfig(encoder=encoder).decoder_width


def _infer_stage(tensors: Mapping[str, np.ndarray], layout: Layout, stage: str) -> dict[str, int]:
    embedding = _required_shape(tensors, layout, f"{stage}_patch_embedding/projection/kernel", rank=4)
    expand = _required_shape(tensors, layout, f"{stage}_block1/ffn/expand/kernel", rank=2)
    reduction = _shape(tensors, layout, f"{stage}_block1/attention/reduction/kernel")
    depth = 1
    while _shape(tensors, layout, f"{stage}_block{depth + 1}/norm1/gamma"):
        depth += 1
    return {
        "embed_dims": embedding[0],
        "patch_sizes": embedding[2],
        "depths": depth,
        "mlp_ratios": expand[0] // expand[1],
        "sr_ratios": reduction[-1] if reduction else 1,
    }


def _shape(tensors: Mapping[str, np.ndarray], layout: Layout, path: str) -> tuple[int, ...] | None:
    source = source_of(path, layout)
    return tensors[source.key].shape if source and source.key in tensors else None


def _required_shape(tensors: Mapping[str, np.ndarray], layout: Layout, path: str, rank: int) -> tuple[int, ...]:
    shape = _shape(tensors, layout, path)
    key = source_of(path, layout).key
    if shape is None:
        raise WeightsMismatchError(f"The {layout.name} weights lack {key!r}; get the file again.")
    if len(shape) != rank or 0 in shape:
        raise WeightsMismatchError(f"Tensor {key!r} has shape {shape}, not {rank} axes; get the file again.")
    return shape
