"""What a data set may ask of the memory."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_datasets import write_folder
from keras_segformer.data import check, file_budgets
from keras_segformer.data.file_budgets import read_picture_bytes
from keras_segformer.data.image_files import encode_image
from keras_segformer.data.importers.picture_files import open_picture
from keras_segformer.data.importers.pixels import read_layer, read_pixels
from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.errors import InvalidDatasetError

READERS = [encode_image, read_mask_pixels, read_pixels, read_layer, lambda data: open_picture(data, "a.png")]
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EndProlog\nshowpage\n%%EOF\n"


def png(size: tuple[int, int] = (4, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros(size, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("read", READERS)
def test_too_many_pixels_are_named(read, monkeypatch):
    read(png())
    monkeypatch.setenv("KERAS_SEGFORMER_MAX_IMAGE_PIXELS", "7")
    with pytest.raises(InvalidDatasetError, match=r"has too many pixels .*16 pixels.*KERAS_SEGFORMER_MAX_IMAGE_PIXELS"):
        read(png())


@pytest.mark.parametrize("read", READERS)
def test_nothing_but_pictures_is_decoded(read, monkeypatch):
    """PostScript would be handed to Ghostscript."""
    monkeypatch.setattr("PIL.EpsImagePlugin.EpsImageFile.__init__", lambda *_: pytest.fail("opened"))
    with pytest.raises(InvalidDatasetError):
        read(POSTSCRIPT)


def test_large_members_of_archives_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", png() + bytes(2_000_000))
    monkeypatch.setattr(file_budgets, "MAX_PICTURE_BYTES", 1_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(InvalidDatasetError, match="has 2 MB, and a picture may have 1 MB; cut it into tiles"):
        read_picture_bytes(zipfile.Path(tmp_path / "a.zip") / "a.png")


def test_a_data_set_names_the_file(tmp_path, monkeypatch):
    write_folder(tmp_path)
    monkeypatch.setattr(file_budgets, "MAX_PICTURE_BYTES", max(map(_size, (tmp_path / "images").iterdir())) - 1)
    problems = check("folder", tmp_path)["train"].problems
    assert problems
    assert all("a picture may have" in problem.reason and "images" in problem.file for problem in problems)


def _size(path: Path) -> int:
    return path.stat().st_size
