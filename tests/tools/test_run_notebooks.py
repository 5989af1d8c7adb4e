"""What is stored of a notebook's outputs."""

from __future__ import annotations

import base64
import io

import nbformat
import numpy as np
import pytest
from PIL import Image

from run_notebooks import MOST_PNG, as_jpeg, readable, tidy

FOLDER = "/tmp/run"


def png(side: int) -> str:
    """A picture of noise in base64."""
    result = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 4), dtype=np.uint8)
    Image.fromarray(noise).save(result, "PNG")
    return base64.b64encode(result.getvalue()).decode()


def output(kind: str, **content: object) -> nbformat.NotebookNode:
    return nbformat.v4.new_output(kind, **content)


@pytest.mark.parametrize(("side", "kind"), [(20, "image/png"), (300, "image/jpeg")])
def test_large_pictures_become_jpegs(side, kind):
    picture = png(side)
    assert (len(picture) > MOST_PNG) == (kind == "image/jpeg")
    tidied = tidy(output("display_data", data={"image/png": picture, "text/plain": "<Figure>"}), FOLDER)
    assert tidied.data.keys() == {kind, "text/plain"}


def test_a_jpeg_shows_the_same_picture():
    with Image.open(io.BytesIO(base64.b64decode(as_jpeg(png(64))))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 64))


def test_chatter_is_left_out():
    assert tidy(output("stream", name="stderr", text="warning"), FOLDER) is None
    assert tidy(output("stream", name="stdout", text="INFO: delegate\n"), FOLDER) is None
    assert readable(f"10%\r20%\r\x1b[1mdone\x1b[0m in {FOLDER}/out\n", FOLDER) == "done in out\n"
