"""Draws how the cost of networks grows with the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_segformer.analysis.cost_scaling import ScalingPoint, slopes
from keras_segformer.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_scaling(points: Mapping[str, Sequence[ScalingPoint]]) -> Figure:
    """Draws MACs by kind of layer for every network, and time and memory where they were measured, against pixels.

    Args:
        points: By the name of the network what `scaling` returned for the same sides.

    Returns:
        A matplotlib figure; its method `savefig` writes it. Legends have the slopes on logarithmic scales.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:

    ```python
    draw_scaling({"B0": scaling(VARIANTS["b0"], [256, 512, 1024])}).savefig("scaling.png")
    ```
    """
    is_measured = bool(next(iter(points.values()))[0].measured)
    panels = len(points) + 2 * is_measured
    figure = new_figure(figsize=(4.6 * panels, 4.2), dpi=110, layout="constrained")
    [*networks] = figure.subplots(1, panels, squeeze=False)[0]
    for axes, (name, own) in zip(networks, points.items(), strict=False):
        lines = {kind: [point.macs[kind] / 1e9 for point in own] for kind in own[0].macs}
        lines["total"] = [point.total_macs / 1e9 for point in own]
        _draw(axes, own, {kind: (values, slopes(own).get(kind)) for kind, values in lines.items()})
        axes.set_title(f"{name}: 1e9 multiply-accumulates", fontsize=10)
    if is_measured:
        _draw_measured(networks[-2], points, "seconds", "seconds", 1)
        _draw_measured(networks[-1], points, "memory", "peak memory, MiB", 2**-20)
    return figure


def _draw_measured(
    axes: Axes, points: Mapping[str, Sequence[ScalingPoint]], what: str, title: str, scale: float
) -> None:
    lines = {}
    for name, own in points.items():
        for runtime in own[0].measured:
            each = [point.measured[runtime] for point in own]
            values = [scale * (one.seconds if what == "seconds" else one.peak_bytes) for one in each]
            lines[f"{name}, {runtime}"] = (values, slopes(own).get(f"{runtime} {what}"))
    _draw(axes, next(iter(points.values())), lines)
    axes.set_title(title, fontsize=10)


def _draw(
    axes: Axes, points: Sequence[ScalingPoint], lines: Mapping[str, tuple[Sequence[float], float | None]]
) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    pixels = [point.side**2 for point in points]
    for name, (values, slope) in lines.items():
        label = name if slope is None else f"{name} (slope {slope:.2f})"
        axes.loglog(pixels, values, "k--" if name == "total" else "o-", label=label, markersize=4)
    axes.set_xticks(pixels, [f"{point.side}²" for point in points])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    # Plain numbers, because matplotlib before 3.10.7 typesets powers of ten with deprecated calls of pyparsing.
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("pixels")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
