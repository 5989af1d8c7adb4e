"""The network as another package builds it, for comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def keras_hub_b0(size: tuple[int, int], num_classes: int) -> keras.Model:
    """KerasHub's segmenter of B0's widths and depths; its last layer enlarges the logits."""
    from keras_hub.models import MiTBackbone, SegFormerBackbone, SegFormerImageSegmenter

    encoder = MiTBackbone(
        layerwise_depths=[2, 2, 2, 2],
        num_layers=4,
        image_shape=(*size, 3),
        hidden_dims=[32, 64, 160, 256],
        layerwise_num_heads=[1, 2, 5, 8],
        layerwise_sr_ratios=[8, 4, 2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
    )
    backbone = SegFormerBackbone(image_encoder=encoder, projection_filters=256)
    return SegFormerImageSegmenter(backbone=backbone, num_classes=num_classes)
