"""Small networks with random weights, one of every kind that can be converted."""

from __future__ import annotations

import functools

from comparison import randomize
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config

# What a conversion must handle, each on top of `tiny_config`.
CONFIGS = {
    "tiny": {},
    "pvt_v2": {"mlp_ratios": (8, 8, 4, 4)},
    "learned_position": {"positional_encoding": "learned", "positional_resolution": (64, 64)},
    "stages_2_4": {"decoder_stages": (2, 4), "activation": "hard_swish"},
    "stage_1": {"decoder_stages": (1,)},
    "binary": {"num_classes": 1},
}
# Several blocks in a stage.
_DEEP = {"depths": (2, 1, 2, 1), "positional_encoding": "learned", "positional_resolution": (64, 64)}


@functools.cache
def random_model(name: str) -> SegFormerNetwork:
    """The network of a name in `CONFIGS`, or `"deep"`; its logits have a quarter of the size."""
    model = SegFormerNetwork(tiny_config(output_stride=4, **(CONFIGS | {"deep": _DEEP})[name]))
    randomize(model)
    return model
