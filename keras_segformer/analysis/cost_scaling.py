"""How the cost of a SegFormer grows with the picture (paper table 1a)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_segformer.analysis.complexity import Complexity, Cost, count_complexity
from keras_segformer.models.config import SegFormerConfig

ATTENTION = "attention products"
_SIDES = range(32, 8193, 32)


class Measurement(NamedTuple):
    """What one forward pass takes.

    Args:
        seconds: The median over several passes after a first one.
        peak_bytes: The largest amount of memory that the model with its weights adds to its process.
    """

    seconds: float
    peak_bytes: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScalingPoint:
    """The cost of a network for square pictures of one size.

    Args:
        side: Height and width in pixels.
        parameters: Number of trainable parameters.
        macs: Multiply-accumulates per picture by kind of layer: `"patch embedding"`, `"attention maps"`, which are
            linear, `"attention products"`, `"Mix-FFN"` and `"decoder"`.
        measured: What was measured, by the name of the runtime.
    """

    side: int
    parameters: int
    macs: Mapping[str, int]
    measured: Mapping[str, Measurement] = dataclasses.field(default_factory=dict)

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of all kinds."""
        return sum(self.macs.values())

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON takes them."""
        measured = {name: each._asdict() for name, each in self.measured.items()}
        return {
            "side": self.side,
            "pixels": self.side**2,
            "parameters": self.parameters,
            "macs": dict(self.macs),
            "total_macs": self.total_macs,
            "measured": measured,
        }


def scaling(
    config: SegFormerConfig,
    sides: Iterable[int],
    measure: Mapping[str, Callable[[SegFormerConfig, int], Measurement]] | None = None,
) -> list[ScalingPoint]:
    """Counts, and optionally measures, the cost of a network for square pictures of several sizes.

    Args:
        config: The hyper-parameters.
        sides: Heights and widths in pixels.
        measure: Functions of the config and a side, by the name of what runs the network; see `measure_keras`.

    Returns:
        The costs, from the smallest to the largest picture.

    Raises:
        ValueError: The config has no encoder, or a side is below 32 pixels.

    Source: the paper, table 1a and section 3.1, where the attention costs O(N²/R) for N positions.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> [point.total_macs // 10**7 for point in scaling(VARIANTS["b0"], [256, 512])]
    [82, 409]
    """
    points = []
    for side in sorted(set(sides)):
        complexity = count_complexity(config, (side, side))
        measured = {name: function(config, side) for name, function in (measure or {}).items()}
        macs = _by_kind(_parts(complexity))
        points.append(ScalingPoint(side=side, parameters=complexity.total.parameters, macs=macs, measured=measured))
    return points


def slopes(points: Sequence[ScalingPoint]) -> dict[str, float]:
    """Fits powers of the number of pixels to costs, by least squares on logarithmic scales.

    Args:
        points: What `scaling` returned.

    Returns:
        Exponents: those of MACs by kind of layer and in all as `"total"`, and of what was measured as
            `"RUNTIME seconds"` and `"RUNTIME memory"`. 1 means in proportion to the pixels. Empty for a single point.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> found = slopes(scaling(VARIANTS["b0"], [512, 1024]))
    >>> found["attention products"], round(found["total"], 2)
    (2.0, 1.41)
    """
    if len(points) < 2:
        return {}
    rows = [_figures(point) for point in points]
    pixels = np.log([point.side**2 for point in points])
    return {
        name: round(float(np.polyfit(pixels, np.log([row[name] for row in rows]), 1)[0]), 3)
        for name in rows[0]
        if all(row[name] > 0 for row in rows)
    }


class Dominance(NamedTuple):
    """From which side in pixels of square pictures attention costs the most; `None` if it does not up to 8192.

    Args:
        first_stage: That from which the attention products of stage 1 cost more MACs than the rest of stage 1.
        all_stages: That from which the attention products of all stages cost more than the rest of the network.
    """

    first_stage: int | None
    all_stages: int | None


def attention_dominates(config: SegFormerConfig) -> Dominance:
    """Finds the pictures for which attention is the larger part of the work.

    Args:
        config: The hyper-parameters.

    Returns:
        The sides, multiples of 32.

    Raises:
        ValueError: The config has no encoder.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> attention_dominates(VARIANTS["b0"])
    Dominance(first_stage=512, all_stages=896)
    """
    first = (side for side in _SIDES if _is_most(count_complexity(config, (side, side)).stages[:1]))
    total = (side for side in _SIDES if _is_most(_parts(count_complexity(config, (side, side)))))
    return Dominance(next(first, None), next(total, None))


def _is_most(parts: Iterable[Mapping[str, Cost]]) -> bool:
    """Whether the products of the attention cost more than everything else in these parts of the network."""
    kinds = _by_kind(parts)
    return 2 * kinds[ATTENTION] > sum(kinds.values())


def _parts(complexity: Complexity) -> list[Mapping[str, Cost]]:
    return [*complexity.stages, {"decoder": complexity.decoder_total}]


def _by_kind(parts: Iterable[Mapping[str, Cost]]) -> dict[str, int]:
    """MACs of the kinds of layers that have any."""
    kinds: dict[str, int] = {}
    for part in parts:
        for kind, cost in part.items():
            kinds[kind] = kinds.get(kind, 0) + cost.macs
    return {kind: macs for kind, macs in kinds.items() if macs}


def _figures(point: ScalingPoint) -> dict[str, float]:
    figures: dict[str, float] = {**point.macs, "total": point.total_macs}
    for name, each in point.measured.items():
        figures |= {f"{name} seconds": each.seconds, f"{name} memory": each.peak_bytes}
    return figures
