"""Pictures of receptive fields."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.analysis import ReceptiveField, draw_receptive_fields


def test_figure(tmp_path):
    pytest.importorskip("matplotlib")
    distance = np.abs(np.arange(64) - 31.5)
    field = ReceptiveField(map=np.exp(-np.maximum(distance[:, None], distance)), centre=(31.5, 31.5))
    parts = {"stage 1": field, "head": field}
    figure = draw_receptive_fields({"B0": parts, "a/very/long/name/of/a/folder/of/a/preset": parts})
    figure.savefig(tmp_path / "figure.png")
    *panels, _ = figure.axes
    assert len(panels) == 4
    assert panels[0].get_title() == "stage 1: " + " ".join(str(field.side(share)) for share in (0.2, 0.3, 0.5, 0.99))
    assert [panels[0].get_ylabel(), panels[2].get_ylabel()[0]] == ["B0", "…"]
    squares = [patch.get_width() for patch in panels[0].patches]
    assert squares == [field.side(share) for share in (0.2, 0.3, 0.5, 0.99)]
    shown = panels[0].images[0].get_array()
    assert (shown.max(), shown.min()) == (1, 1e-5)
