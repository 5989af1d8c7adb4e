"""Readers of command-line values."""

from __future__ import annotations

import argparse

import pytest

from keras_segformer.cli.values import image_size, positive_integer, share, size_choice


@pytest.mark.parametrize(("text", "size"), [("512", (512, 512)), ("512x1024", (512, 1024)), ("33x0100", (33, 100))])
def test_image_size(text, size):
    assert image_size(text) == size


@pytest.mark.parametrize("text", ["", "x", "512x", "x512", "512X512", "5.5", "-5", "512x512x3", "٥١٢", "large"])
def test_no_image_size(text):
    with pytest.raises(argparse.ArgumentTypeError, match="write 512 or 512x1024"):
        image_size(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1", 1), ("0.25", 0.25), ("1e-1", 0.1)])
def test_share(text, value):
    assert share(text) == value


@pytest.mark.parametrize("text", ["", "half", "-0.1", "1.01", "nan", "inf"])
def test_no_share(text):
    with pytest.raises(argparse.ArgumentTypeError, match="not a number from 0 to 1"):
        share(text)


@pytest.mark.parametrize(
    ("text", "size"), [("aligned", "aligned"), ("square", "square"), ("native", "native"), ("64x96", (64, 96))]
)
def test_size_choice(text, size):
    assert size_choice(text) == size


def test_no_size_choice():
    with pytest.raises(argparse.ArgumentTypeError, match="write 512 or 512x1024"):
        size_choice("large")


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("012", 12), ("100", 100)])
def test_positive_integer(text, value):
    assert positive_integer(text) == value


@pytest.mark.parametrize("text", ["", "0", "00", "-1", "1.0", "٥", "all"])
def test_no_positive_integer(text):
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number of at least 1"):
        positive_integer(text)
