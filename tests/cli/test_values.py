"""Readers of command-line values."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path

import pytest

from keras_segformer.cli.values import (
    image_size,
    output_file,
    output_folder,
    path,
    positive_integer,
    prepared_folder,
    share,
    size_choice,
    text,
)


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


@pytest.mark.parametrize("value", ["", "0", "00", "-1", "1.0", "٥", "all", "2147483648", "9" * 5000])
def test_no_positive_integer(value):
    with pytest.raises(argparse.ArgumentTypeError, match="not a whole number from 1 to 2147483647"):
        positive_integer(value)


@pytest.mark.parametrize("size", ["0", "31", "512x0", "65536", "100000000000000000000"])
def test_sizes_out_of_range(size):
    with pytest.raises(argparse.ArgumentTypeError, match="not a size"):
        image_size(size)


@pytest.mark.parametrize("read", [text, path, output_file, output_folder])
@pytest.mark.parametrize("value", ["", "  "])
def test_empty_texts(read, value):
    with pytest.raises(argparse.ArgumentTypeError, match="the value is empty"):
        read(value)


@pytest.mark.parametrize("read", [path, output_file, output_folder, prepared_folder])
def test_addresses_are_no_paths(read):
    with pytest.raises(argparse.ArgumentTypeError, match="is an address, and a path is needed here; mount the bucket"):
        read("gs://bucket/cache")


def test_prepared_examples_may_be_read_only(tmp_path, monkeypatch):
    def refuse(dir: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert prepared_folder(str(tmp_path)) == tmp_path
    with pytest.raises(argparse.ArgumentTypeError, match="nothing can be written"):
        prepared_folder(str(tmp_path / "new"))


def test_outputs_are_tried_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    assert output_file(str(tmp_path / "new/scores.json")) == tmp_path / "new/scores.json"
    assert output_file(str(tmp_path / "file")) == tmp_path / "file"
    assert output_folder(str(tmp_path / "new/folder")) == tmp_path / "new/folder"
    for read, value, message in (
        (output_file, tmp_path, "is a folder; name a file"),
        (output_folder, tmp_path / "file", "is a file; name a folder"),
        (output_file, tmp_path / "file/below", "is not a folder"),
        (output_folder, tmp_path / "file/below/it", "is not a folder"),
        (output_file, "/proc/scores.json", "nothing can be written into '/proc'"),
    ):
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            read(str(value))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
