"""Pictures of scores under corruptions."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.analysis import CorruptedPicture, Robustness, draw_robustness
from keras_segformer.label_sets import LabelSet

pytest.importorskip("matplotlib")


def pictures(*corruptions: str) -> list[CorruptedPicture]:
    """Grey, with a prediction of no class."""
    grey, predictions = np.full((32, 48, 3), 128, np.uint8), np.eye(32, 48, dtype=np.int64) * 3
    return [CorruptedPicture(name, 2, grey, predictions) for name in ("clean", *corruptions)]


def test_bars_marks_and_pictures(tmp_path):
    result = Robustness(clean=0.5, scores={"fog": {1: 0.4, 3: 0.2}, "shot_noise": {3: 0.1}})
    figure = draw_robustness(result, pictures("fog", "shot_noise"), LabelSet.generic(3))
    figure.savefig(tmp_path / "figure.png")
    scores, *panels = figure.axes
    assert [bar.get_height() for bar in scores.patches] == pytest.approx([0.6, 0.2])
    assert [text.get_text() for text in scores.texts] == ["60%", "20%"]
    b5, deeplab = (line.get_ydata() for line in scores.lines)
    np.testing.assert_allclose(b5, [78.5 / 82.4, 52.3 / 82.4])
    np.testing.assert_allclose(deeplab, [47.4 / 72, 6.6 / 72])
    assert scores.get_title("left") == "mean IoU 50.0%, under corruptions 20.0% (40.0% of it)"
    titles = [panel.get_title("left") for panel in panels]
    assert titles == ["clean", "", "fog, severity 2", "", "shot noise, severity 2", ""]
    assert all(len(panel.images) == 1 for panel in panels)
    labels = panels[1].images[0].get_array()
    np.testing.assert_array_equal(labels[0, 0], [128] * 3)  # no class, so the picture shows
    assert (labels[0, 1] != 128).any()


def test_a_model_that_is_always_wrong():
    result = Robustness(clean=0.0, scores={"fog": {1: 0.0}})
    scores, *_ = draw_robustness(result, pictures("fog"), LabelSet.generic(3)).axes
    assert scores.get_title("left") == "mean IoU 0.0%, under corruptions 0.0% (0.0% of it)"
