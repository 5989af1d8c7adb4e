"""Which formats are decoded."""

from __future__ import annotations

import io

import PIL
import pytest
from PIL import Image, UnidentifiedImageError

from keras_segformer.image_formats import FORMATS, open_image, readable_formats


def encoded(image_format: str) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, image_format)
    buffer.seek(0)
    return buffer


def test_only_formats_that_are_named_are_decoded(monkeypatch):
    """Others start programs, fetch files, or have faults: EPS, PSD, FITS, XBM …"""
    monkeypatch.setattr(PIL, "__version__", "99.0")
    assert set(readable_formats()) == set(FORMATS) & set(Image.OPEN)
    assert not {"EPS", "PSD", "FITS", "GD", "MCIDAS", "FLI"} & set(FORMATS)
    with open_image(encoded("PNG")) as image:
        assert image.size == (4, 4)
    with pytest.raises(UnidentifiedImageError):
        open_image(encoded("EPS"))


def test_old_versions_of_pillow_do_not_read_what_they_read_wrongly(monkeypatch):
    monkeypatch.setattr(PIL, "__version__", "12.2.0")
    with pytest.raises(UnidentifiedImageError):
        open_image(encoded("TGA"))
    monkeypatch.setattr(PIL, "__version__", "12.3.0")
    with open_image(encoded("TGA")) as image:
        assert image.size == (4, 4)
