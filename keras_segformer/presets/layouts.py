"""How other programs name the parameters of a SegFormer, as data.

A layout maps every part of our model to the name of the module that holds it in a torch state dict:
`nvidia/segformer-*` and `nvidia/mit-*` on the Hugging Face hub (transformers), the checkpoints of the original
repository (`segformer.*.pth`, `mit_b*.pth`), and timm's PVTv2.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from keras_segformer.errors import InvalidPresetError


@dataclasses.dataclass(frozen=True)
class Layout:
    """The naming scheme of one family of checkpoints.

    Args:
        name: Its name in messages.
        marker: A pattern that at least one key of such a checkpoint matches, and no other layout's does.
        parts: Our part of a model to their module; `{stage}` counts from 1, `{stage0}` and `{block0}` from 0.
        fused_key_value: Whether keys and values are the two halves of one `kv` map.
    """

    name: str
    marker: str
    parts: Mapping[str, str]
    fused_key_value: bool


@dataclasses.dataclass(frozen=True)
class Source:
    """Where and how a checkpoint keeps a variable.

    Args:
        key: Its name in the state dict.
        kind: `"vector"` `(out,)`, `"linear"` `(out, in)`, `"convolution"` `(out, in, height, width)` or
            `"depthwise"` `(out, 1, height, width)`.
        half: Which half of the rows it is; `None` for all of them.
    """

    key: str
    kind: Literal["vector", "linear", "convolution", "depthwise"] = "vector"
    half: int | None = None


TRANSFORMERS = Layout(
    name="transformers",
    marker=r"segformer\.encoder\.",
    parts={
        "patch_embedding/projection": "segformer.encoder.patch_embeddings.{stage0}.proj",
        "patch_embedding/norm": "segformer.encoder.patch_embeddings.{stage0}.layer_norm",
        "block/norm1": "segformer.encoder.block.{stage0}.{block0}.layer_norm_1",
        "block/attention/query": "segformer.encoder.block.{stage0}.{block0}.attention.self.query",
        "block/attention/key": "segformer.encoder.block.{stage0}.{block0}.attention.self.key",
        "block/attention/value": "segformer.encoder.block.{stage0}.{block0}.attention.self.value",
        "block/attention/reduction": "segformer.encoder.block.{stage0}.{block0}.attention.self.sr",
        "block/attention/reduction_norm": "segformer.encoder.block.{stage0}.{block0}.attention.self.layer_norm",
        "block/attention/projection": "segformer.encoder.block.{stage0}.{block0}.attention.output.dense",
        "block/norm2": "segformer.encoder.block.{stage0}.{block0}.layer_norm_2",
        "block/ffn/expand": "segformer.encoder.block.{stage0}.{block0}.mlp.dense1",
        "block/ffn/depthwise": "segformer.encoder.block.{stage0}.{block0}.mlp.dwconv.dwconv",
        "block/ffn/contract": "segformer.encoder.block.{stage0}.{block0}.mlp.dense2",
        "norm": "segformer.encoder.layer_norm.{stage0}",
        "head": "classifier",
        "decoder/fusion/linear0": "decode_head.linear_c.0.proj",
        "decoder/fusion/linear1": "decode_head.linear_c.1.proj",
        "decoder/fusion/linear2": "decode_head.linear_c.2.proj",
        "decoder/fusion/linear3": "decode_head.linear_c.3.proj",
        "decoder/fusion/fuse": "decode_head.linear_fuse",
        "decoder/batch_norm": "decode_head.batch_norm",
        "decoder/classifier": "decode_head.classifier",
    },
    fused_key_value=False,
)

_OFFICIAL_ENCODER = {
    "patch_embedding/projection": "patch_embed{stage}.proj",
    "patch_embedding/norm": "patch_embed{stage}.norm",
    "block/norm1": "block{stage}.{block0}.norm1",
    "block/attention/query": "block{stage}.{block0}.attn.q",
    "block/attention/key": "block{stage}.{block0}.attn.kv",
    "block/attention/value": "block{stage}.{block0}.attn.kv",
    "block/attention/reduction": "block{stage}.{block0}.attn.sr",
    "block/attention/reduction_norm": "block{stage}.{block0}.attn.norm",
    "block/attention/projection": "block{stage}.{block0}.attn.proj",
    "block/norm2": "block{stage}.{block0}.norm2",
    "block/ffn/expand": "block{stage}.{block0}.mlp.fc1",
    "block/ffn/depthwise": "block{stage}.{block0}.mlp.dwconv.dwconv",
    "block/ffn/contract": "block{stage}.{block0}.mlp.fc2",
    "norm": "norm{stage}",
}

OFFICIAL_IMAGENET = Layout(
    name="official ImageNet",
    marker=r"patch_embed1\.",
    parts=_OFFICIAL_ENCODER | {"head": "head"},
    fused_key_value=True,
)

OFFICIAL = Layout(
    name="official",
    marker=r"backbone\.patch_embed1\.",
    parts={part: f"backbone.{module}" for part, module in _OFFICIAL_ENCODER.items()}
    | {
        "decoder/fusion/linear0": "decode_head.linear_c1.proj",
        "decoder/fusion/linear1": "decode_head.linear_c2.proj",
        "decoder/fusion/linear2": "decode_head.linear_c3.proj",
        "decoder/fusion/linear3": "decode_head.linear_c4.proj",
        "decoder/fusion/fuse": "decode_head.linear_fuse.conv",
        "decoder/batch_norm": "decode_head.linear_fuse.bn",
        "decoder/classifier": "decode_head.linear_pred",
    },
    fused_key_value=True,
)

TIMM_PVT_V2 = Layout(
    name="timm PVTv2",
    marker=r"stages\.0\.blocks\.",
    parts={
        "patch_embedding/projection": "stages.{stage0}.downsample.proj",
        "patch_embedding/norm": "stages.{stage0}.downsample.norm",
        "block/norm1": "stages.{stage0}.blocks.{block0}.norm1",
        "block/attention/query": "stages.{stage0}.blocks.{block0}.attn.q",
        "block/attention/key": "stages.{stage0}.blocks.{block0}.attn.kv",
        "block/attention/value": "stages.{stage0}.blocks.{block0}.attn.kv",
        "block/attention/reduction": "stages.{stage0}.blocks.{block0}.attn.sr",
        "block/attention/reduction_norm": "stages.{stage0}.blocks.{block0}.attn.norm",
        "block/attention/projection": "stages.{stage0}.blocks.{block0}.attn.proj",
        "block/norm2": "stages.{stage0}.blocks.{block0}.norm2",
        "block/ffn/expand": "stages.{stage0}.blocks.{block0}.mlp.fc1",
        "block/ffn/depthwise": "stages.{stage0}.blocks.{block0}.mlp.dwconv",
        "block/ffn/contract": "stages.{stage0}.blocks.{block0}.mlp.fc2",
        "norm": "stages.{stage0}.norm",
        "head": "head",
    },
    fused_key_value=True,
)

LAYOUTS = (TRANSFORMERS, OFFICIAL, OFFICIAL_IMAGENET, TIMM_PVT_V2)

# Which kernels are convolutions in every layout; the others are linear maps.
_CONVOLUTIONS = {
    "patch_embedding/projection": "convolution",
    "block/attention/reduction": "convolution",
    "block/ffn/depthwise": "depthwise",
    "decoder/fusion/fuse": "convolution",
    "decoder/classifier": "convolution",
}

# timm keeps the first patch embedding outside its stages.
_TIMM_FIRST_EMBEDDING = ("stages.0.downsample.", "patch_embed.")

_LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
_VARIABLE_PATH = re.compile(rf"(?P<module>.+)[/_](?P<leaf>{'|'.join(_LEAVES)})")
_STAGE_PATH = re.compile(r"stage(?P<stage>\d+)_(?:(?P<block_word>block)(?P<block>\d+)/)?(?P<part>.+)")


def detect_layout(keys: Iterable[str]) -> Layout:
    """Recognise a checkpoint by its keys.

    Args:
        keys: The names of its tensors.

    Returns:
        The layout whose marker one of them matches.

    Raises:
        InvalidPresetError: No layout's does.

    Example:

    >>> detect_layout(["patch_embed1.proj.weight"]).name
    'official ImageNet'
    """
    keys = sorted(keys)
    for layout in LAYOUTS:
        if any(re.match(layout.marker, key) for key in keys):
            return layout
    raise InvalidPresetError(
        f"These tensors are of no SegFormer layout that is known here ({', '.join(each.name for each in LAYOUTS)}); "
        f"the first of their {len(keys)} names are {keys[:3]}."
    )


def source_of(variable_path: str, layout: Layout) -> Source | None:
    """Where a checkpoint keeps one of our variables.

    Args:
        variable_path: `path` of a Keras variable of `MixTransformer` or `SegFormer`.
        layout: The checkpoint's spelling.

    Returns:
        The place, or `None` where such a checkpoint has no such part.

    Example:

    >>> source_of("stage2_block1/attention/value/kernel", OFFICIAL)
    Source(key='backbone.block2.0.attn.kv.weight', kind='linear', half=1)
    """
    path = _VARIABLE_PATH.fullmatch(variable_path)
    if path is None:
        return None
    part, numbers = path["module"], {}
    in_stage = _STAGE_PATH.fullmatch(part)
    if in_stage:
        part = "/".join(filter(None, (in_stage["block_word"], in_stage["part"])))
        numbers = {"stage": int(in_stage["stage"]), "stage0": int(in_stage["stage"]) - 1}
        numbers["block0"] = int(in_stage["block"] or 1) - 1
    module = layout.parts.get(part)
    if module is None:
        return None
    key = f"{module.format(**numbers)}.{_LEAVES[path['leaf']]}"
    if layout is TIMM_PVT_V2:
        key = key.replace(*_TIMM_FIRST_EMBEDDING)
    halves = {"block/attention/key": 0, "block/attention/value": 1} if layout.fused_key_value else {}
    kind = _CONVOLUTIONS.get(part, "linear") if path["leaf"] == "kernel" else "vector"
    return Source(key, kind, halves.get(part))
