"""Zip archives whose names are stored in several ways."""

from __future__ import annotations

import zipfile

import pytest

from keras_segformer.data.archives import open_archive
from keras_segformer.errors import InvalidDatasetError


@pytest.mark.parametrize("encoding", ["utf-8", "cp437"])
def test_names_without_a_note_of_their_encoding(encoding, tmp_path):
    """As macOS and Info-ZIP write them; Python itself always sets the flag of UTF-8."""
    name = "Straße.jpg".encode(encoding)
    placeholder = b"x" * len(name)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(placeholder.decode(), b"")
    path = tmp_path / "b.zip"
    path.write_bytes((tmp_path / "a.zip").read_bytes().replace(placeholder, name))
    assert open_archive(path).namelist() == ["Straße.jpg"]


def test_broken_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("é.jpg", b"")
    path = tmp_path / "b.zip"
    path.write_bytes((tmp_path / "a.zip").read_bytes().replace("é".encode(), b"\xff\xff"))
    with pytest.raises(InvalidDatasetError, match="is not a zip archive; name the folder"):
        open_archive(path)
