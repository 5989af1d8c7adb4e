"""Draws effective receptive fields, as figure 3 of the paper does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_segformer.analysis.receptive_field import SHARES, ReceptiveField
from keras_segformer.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DECADES = 5
"""How far below its maximum a field is still told from 0."""

_LONGEST_NAME = 30


def draw_receptive_fields(fields: Mapping[str, Mapping[str, ReceptiveField]]) -> Figure:
    """Draws receptive fields on a logarithmic scale, a row for every network.

    White squares hold 20, 30, 50 and 99 % of a field; those that reach over the picture's edge are not seen.

    Args:
        fields: By the name of the network what `effective_receptive_field` returned.

    Returns:
        A matplotlib figure; its method `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:

    ```python
    draw_receptive_fields({"B0": effective_receptive_field(model, images)}).savefig("erf.png")
    ```
    """
    columns = max(len(parts) for parts in fields.values())
    figure = new_figure(figsize=(2.9 * columns, 3.4 * len(fields)), dpi=110, layout="constrained")
    grid = figure.subplots(len(fields), columns, squeeze=False)
    image = None
    for row, (name, parts) in zip(grid, fields.items(), strict=True):
        for axes, (part, field) in zip(row, parts.items(), strict=True):
            image = _draw(axes, field)
            axes.set_title(f"{part}: " + " ".join(str(field.side(share)) for share in SHARES), fontsize=9)
        row[0].set_ylabel(name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}")
    label = "mean gradient, of its maximum"
    # A plain format, because matplotlib before 3.10.7 typesets powers of ten with deprecated calls of pyparsing.
    figure.colorbar(image, ax=grid, shrink=0.8, pad=0.01, format="{x:g}", label=label)
    shares = ", ".join(f"{share:.0%}" for share in SHARES)
    figure.suptitle(
        f"Effective receptive fields, with the sides in pixels of the squares that hold {shares}", fontsize=10
    )
    return figure


def _draw(axes: Axes, field: ReceptiveField) -> object:
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    relative = np.maximum(field.map / field.map.max(), 10.0**-_DECADES)
    image = axes.imshow(relative, cmap="magma", norm=LogNorm(10.0**-_DECADES, 1))
    for share in SHARES:
        side = field.side(share)
        row, column = (middle - side / 2 for middle in field.centre)
        axes.add_patch(Rectangle((column, row), side, side, fill=False, color="white", lw=0.6))
    axes.set(xlim=(-0.5, field.map.shape[1] - 0.5), ylim=(field.map.shape[0] - 0.5, -0.5), xticks=[], yticks=[])
    return image
