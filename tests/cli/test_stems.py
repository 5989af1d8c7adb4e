"""Names for files that are made from a preset."""

from __future__ import annotations

import pytest

from keras_segformer.cli.stems import stem_of


@pytest.mark.parametrize(
    ("preset", "stem"),
    [
        ("b0_ade20k", "b0_ade20k"),
        ("models/my net/", "my_net"),
        ("hf://someone/segformer-b0@main", "segformer-b0"),
        ("kaggle://someone/segformer/keras/b0", "b0"),
    ],
)
def test_names(preset: str, stem: str) -> None:
    assert stem_of(preset) == stem


def test_presets_without_a_name() -> None:
    with pytest.raises(ValueError, match="choose one with --name"):
        stem_of("hf://someone/---")
