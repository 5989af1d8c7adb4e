"""MiT-B0 to B5 and PVTv2-B0 to B5 as data (paper table 6; PVTv2, arXiv 2106.13797, table 1)."""

from __future__ import annotations

from keras_segformer.models.config import MixTransformerConfig, SegFormerConfig

# name: (embed_dims, depths, decoder_width)
_VARIANTS = {
    "b0": ((32, 64, 160, 256), (2, 2, 2, 2), 256),
    "b1": ((64, 128, 320, 512), (2, 2, 2, 2), 256),
    "b2": ((64, 128, 320, 512), (3, 4, 6, 3), 768),
    "b3": ((64, 128, 320, 512), (3, 4, 18, 3), 768),
    "b4": ((64, 128, 320, 512), (3, 8, 27, 3), 768),
    "b5": ((64, 128, 320, 512), (3, 6, 40, 3), 768),
}

# The two families share widths and depths; PVTv2 expands the first two stages twice as much, but for B5.
_PVT_V2_MLP_RATIOS = dict.fromkeys(_VARIANTS, (8, 8, 4, 4)) | {"b5": (4, 4, 4, 4)}

VARIANTS: dict[str, SegFormerConfig] = {
    name: SegFormerConfig(encoder=MixTransformerConfig(embed_dims=dims, depths=depths), decoder_width=width)
    for name, (dims, depths, width) in _VARIANTS.items()
} | {
    f"pvt_v2_{name}": SegFormerConfig(
        encoder=MixTransformerConfig(embed_dims=dims, depths=depths, mlp_ratios=_PVT_V2_MLP_RATIOS[name]),
        decoder_width=width,
    )
    for name, (dims, depths, width) in _VARIANTS.items()
}
"""Every named architecture with 150 classes; `VARIANTS["b0"].replace(num_classes=11)` makes another."""
