"""Attention over merged tokens at 1024 pixels: how much faster, and how many labels stay the same.

    python benchmarks/token_merging.py --preset b0_ade20k --images PICTURES
    python benchmarks/token_merging.py --variant b2

Windows of 2x2 neighbouring tokens become their mean before the attention of the first stages, and all four get its
result, so that everything else, the residual branch, Mix-FFN and the decoder, sees every token. Merged are

- the keys and values, which are fewer than the queries from the start;
- the queries of all windows;
- the queries of those windows whose tokens are most alike, by their least cosine similarity to the mean.

Times are of the processor, medians of the ratios within a round, in which every contender runs once. Agreement is the
share of pixels with the labels of the unmerged network, whose weights must be trained; `--variant` has random ones and
measures times alone. The published figures, 1.6 times on B5 for .08 points of mean IoU, are of GPUs: Kienzle et al.,
Segformer++: Efficient Token-Merging Strategies for High-Resolution Semantic Segmentation, MIPR 2024.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.table import Table

import keras_segformer
from keras_segformer.images import find_images, load_image
from keras_segformer.layers import EfficientSelfAttention, transformer_block
from keras_segformer.ops import attend, spatial_shape
from keras_segformer.predict.enlarge import enlarge_argmax
from keras_segformer.predict.interpolation import resized_rows

SIDE = 2  # of the windows


class MergedAttention(EfficientSelfAttention):
    """Attention over merged tokens; H and W are multiples of the windows' side wherever tokens are merged."""

    merged_keys = False
    merged_queries = 0.0  # the share of the windows, those whose tokens are most alike
    ratios: tuple[int, ...] = ()  # the stages, by their reduction ratio

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """As of the layer above."""
        if self.sr_ratio not in self.ratios:
            return super().call(inputs, training)
        height, width = spatial_shape(inputs)
        reduced = inputs
        if self.sr_ratio > 1:
            reduced = self.reduction_norm(self.reduction(inputs), training=training)  # (B, H / sr, W / sr, C)
        if self.merged_keys:
            reduced = ops.average_pool(reduced, SIDE, SIDE)
        scale = (self.dim // self.num_heads) ** -0.5
        key = self._split_heads(self.key(reduced, training=training) * scale, transposed=True)  # (B, heads, d, M)
        value = self._split_heads(self.value(reduced, training=training))  # (B, heads, M, d)
        windows = _windows(inputs)  # (B, W, 4, C)
        means = ops.mean(windows, axis=2)  # (B, W, C)
        number = windows.shape[1]
        merged = round(self.merged_queries * number)
        if merged == number:
            found = self._attend(means, key, value, training)[:, :, None]  # (B, W, 1, C)
            return _grid(ops.repeat(found, SIDE**2, axis=2), height, width)
        if merged == 0:
            tokens = ops.reshape(inputs, (-1, height * width, self.dim))
            return ops.reshape(self._attend(tokens, key, value, training), (-1, height, width, self.dim))
        order = ops.argsort(-_likeness(windows, means), axis=-1)  # (B, W), the most alike first
        joined = ops.take_along_axis(means, order[:, :merged, None], axis=1)  # (B, merged, C)
        single = ops.take_along_axis(windows, order[:, merged:, None, None], axis=1)  # (B, W - merged, 4, C)
        single = ops.reshape(single, (-1, (number - merged) * SIDE**2, self.dim))
        found = self._attend(ops.concatenate([joined, single], axis=1), key, value, training)
        found = ops.concatenate(
            [
                ops.repeat(found[:, :merged, None], SIDE**2, axis=2),
                ops.reshape(found[:, merged:], (-1, number - merged, SIDE**2, self.dim)),
            ],
            axis=1,
        )  # (B, W, 4, C), in that order
        return _grid(ops.take_along_axis(found, ops.argsort(order, axis=-1)[:, :, None, None], axis=1), height, width)

    def _attend(self, tokens: Any, key: Any, value: Any, training: bool | None) -> Any:
        """What tokens `(B, N, C)` gather, `(B, N, C)`."""
        query = self._split_heads(self.query(tokens[:, None], training=training))  # (B, heads, N, d)
        x = ops.transpose(attend(query, key, value, training), (0, 2, 1, 3))  # (B, N, heads, d)
        return self.projection(ops.reshape(x, (-1, 1, tokens.shape[1], self.dim)), training=training)[:, 0]


def _windows(x: Any) -> Any:
    """From `(B, H, W, C)` to the windows `(B, H / 2 * W / 2, 4, C)`."""
    height, width = spatial_shape(x)
    x = ops.reshape(x, (-1, height // SIDE, SIDE, width // SIDE, SIDE, x.shape[-1]))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, height * width // SIDE**2, SIDE**2, x.shape[-1]))


def _grid(windows: Any, height: int, width: int) -> Any:
    """Undoes `_windows`."""
    x = ops.reshape(windows, (-1, height // SIDE, width // SIDE, SIDE, SIDE, windows.shape[-1]))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height, width, windows.shape[-1]))


def _likeness(windows: Any, means: Any) -> Any:
    """The least cosine similarity `(B, W)` of the tokens of windows to their means."""
    directions = ops.normalize(means, axis=-1)[:, :, None]  # (B, W, 1, C)
    return ops.min(ops.sum(ops.normalize(windows, axis=-1) * directions, axis=-1), axis=-1)


CONTENDERS: dict[str, dict[str, Any]] = {
    "unmerged": {},
    "keys, stage 1": {"ratios": (8,), "merged_keys": True},
    "keys, stages 1 and 2": {"ratios": (8, 4), "merged_keys": True},
    "all queries, stage 1": {"ratios": (8,), "merged_queries": 1.0},
    "all queries, stages 1 and 2": {"ratios": (8, 4), "merged_queries": 1.0},
    "half of the queries, stage 1": {"ratios": (8,), "merged_queries": 0.5},
    "half of the queries, stages 1 and 2": {"ratios": (8, 4), "merged_queries": 0.5},
    "three quarters of the queries, stages 1 and 2": {"ratios": (8, 4), "merged_queries": 0.75},
    "keys and all queries, stages 1 and 2": {"ratios": (8, 4), "merged_keys": True, "merged_queries": 1.0},
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--preset", help="trained weights")
    weights.add_argument("--variant", choices=("b0", "b1", "b2", "b3", "b4", "b5"), help="random weights")
    parser.add_argument("--images", help="folder of pictures")
    parser.add_argument("--limit", type=int, default=8, help="how many of them")
    parser.add_argument("--size", type=int, default=1024, help="side of the square that the network sees")
    parser.add_argument("--rounds", type=int, default=5, help="times that every contender runs")
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    if bool(args.preset) != bool(args.images):
        parser.error("--preset goes with --images")
    rows = measure(args)
    table = Table(title=f"{args.preset or args.variant}, {args.size}x{args.size}, float32")
    for header in ("attention", "processor time", "times faster", "agreement", "worst picture"):
        table.add_column(header, justify="left" if header == "attention" else "right")
    for name, row in rows.items():
        agreement = [f"{row[key]:.4f}" if key in row else "" for key in ("agreement", "worst_agreement")]
        table.add_row(name, f"{row['cpu']:.2f} s", f"{row['times_faster']:.2f}", *agreement)
    Console(width=120).print(table)
    if args.json:
        args.json.write_text(json.dumps({"model": args.preset or args.variant, "rows": rows}, indent=2) + "\n")


def measure(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The figures of every contender, the unmerged network among them."""
    size = (args.size, args.size)
    names = list(dict.fromkeys(["unmerged", *args.contenders]))
    if args.images:
        pictures = [load_image(path) for path in find_images(args.images)[: args.limit]]
    else:
        pictures = [np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)]
    seen = [resized_rows(picture, size)[None] for picture in pictures]
    networks = {name: load(args, name) for name in names}
    for network in networks.values():
        network.predict_on_batch(seen[0])  # which compiles it
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(args.rounds):
        for name, network in networks.items():
            begin = time.process_time()
            network.predict_on_batch(seen[0])
            seconds[name].append(time.process_time() - begin)
    rows = {}
    for name, mine in seconds.items():
        ratios = [before / after for before, after in zip(seconds["unmerged"], mine, strict=True)]
        rows[name] = {"cpu": statistics.median(mine), "times_faster": statistics.median(ratios)}
    if args.images:
        labels = {name: [label(network, each) for each in seen] for name, network in networks.items()}
        for name, mine in labels.items():
            shares = [np.mean(one == other) for one, other in zip(mine, labels["unmerged"], strict=True)]
            rows[name] |= {"agreement": float(np.mean(shares)), "worst_agreement": float(min(shares))}
    return rows


def load(args: argparse.Namespace, name: str) -> keras.Model:
    """A network, up to its logits at a quarter of the size, whose inputs have that size."""
    keras.utils.set_random_seed(0)
    with attention(CONTENDERS[name]):
        if args.preset:
            model = keras_segformer.SegFormer.from_preset(args.preset)
        else:
            model = keras_segformer.SegFormer(keras_segformer.VARIANTS[args.variant].replace(num_classes=150))
        images = keras.Input((args.size, args.size, 3))
        return keras.Model(images, model.quarter(images))


@contextlib.contextmanager
def attention(options: dict[str, Any]) -> Iterator[None]:
    """Lets transformer blocks be made with merged attention."""
    contender = type("Contender", (MergedAttention,), dict(options))
    with mock.patch.object(transformer_block, "EfficientSelfAttention", contender):
        yield


def label(network: keras.Model, image: np.ndarray) -> np.ndarray:
    """The labels of every pixel that the network sees."""
    [logits] = np.asarray(network.predict_on_batch(image))
    return enlarge_argmax([logits], logits.shape[:2], image.shape[1:3])


if __name__ == "__main__":
    main()
