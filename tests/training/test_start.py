"""What a run starts from where it is not told."""

from __future__ import annotations

import pytest

from keras_segformer.training import start
from keras_segformer.training.start import default_start, describe_start


@pytest.mark.parametrize(
    ("is_available", "initial", "licence"),
    [(True, "pvt_v2_b0_imagenet", "Apache-2.0 (commercial use allowed)"), (False, "b0_camvid", "CC-BY-NC-4.0")],
)
def test_the_default_and_its_licence(is_available, initial, licence, monkeypatch):
    monkeypatch.setattr(start, "is_available", lambda name: is_available)
    assert default_start() == initial
    line = describe_start(initial, is_default=True)
    assert line.startswith(f"Starts from {initial}, {licence}")
    assert "--preset b0_ade20k is stronger" in line
    assert ("cannot be downloaded" in line) != is_available
    assert "\n" not in line


def test_what_was_chosen_is_not_commented():
    assert "non-commercial use only" in describe_start("b0_ade20k")
    assert "--preset" not in describe_start("b0_ade20k")
    assert describe_start("my/preset") == "Starts from my/preset"
    assert describe_start("b0") == describe_start("b0", random_weights=True)
    assert "random weights" in describe_start("b0")
