"""Writes the bundled model at a small size, a camera frame, and its labels by Keras, for tests without a phone.

    python android_demo/tools/host_model.py

writes to `android_demo/core/build/host_model`, for `RealModelTest` of the core: two models of
`keras_segformer.conversion.convert` with their descriptions (for GPUs with float input and labels at a quarter of the
size, and with uint8 input and labels at full size), `frame.json` with the geometry of the frame, `frame.yuv` with its
planes, and `expected_labels.bin` and `expected_labels_full.bin`, int32.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import golden_frames
import numpy as np
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.conversion import convert
from keras_segformer.predict.logits import quarter_logits

PROJECT = Path(__file__).parents[1]
PRESET = "b0_camvid"
PICTURE = PROJECT.parent / "docs/street.jpg"
SIDE = 256
# A small camera, mounted as in phones: its frames must be rotated to be upright.
GEOMETRY = golden_frames.Geometry(size=(360, 640), tensor=(SIDE, SIDE), rotation=90, mirror=False, framing="CROP")
ENCODING = "BT601_FULL"


def camera_frame() -> list[np.ndarray]:
    """Returns the planes of the camera frame: luma `(640, 360)` and two of chroma `(320, 180)`, uint8."""
    width, height = GEOMETRY.size
    with Image.open(PICTURE) as picture:
        upright = picture.resize((height, width), Image.Resampling.LANCZOS).convert("YCbCr")
    lying = np.rot90(np.asarray(upright), GEOMETRY.rotation // 90)
    chroma = lying[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    return [
        np.ascontiguousarray(plane) for plane in (lying[..., 0], *np.moveaxis(np.rint(chroma).astype(np.uint8), 2, 0))
    ]


def write(folder: Path) -> None:
    """Writes all files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    planes = camera_frame()
    model = SegFormer.from_preset(PRESET)
    seen = golden_frames.frame_to_input(planes, GEOMETRY, ENCODING)
    quarter = quarter_logits(model, seen[np.newaxis].astype(np.float32))[0].argmax(axis=-1)
    full = model.segment(seen, size="native")
    for name, labels in (("expected_labels", quarter), ("expected_labels_full", full)):
        (folder / f"{name}.bin").write_bytes(labels.astype("<i4").tobytes())
    (folder / "frame.yuv").write_bytes(b"".join(plane.tobytes() for plane in planes))
    (folder / "frame.json").write_text(json.dumps(GEOMETRY._asdict()) + "\n")
    common = {"input_size": (SIDE, SIDE), "report": False}
    convert(model, folder / f"{PRESET}_float16.tflite", "float16", input="float32", tiles=False, **common)
    convert(model, folder / f"{PRESET}_float32.tflite", "float32", output="labels_full", **common)


def main() -> None:
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=PROJECT / "core/build/host_model", help="output folder")
    folder = parser.parse_args().output
    write(folder)
    print(f"{folder}: {', '.join(sorted(file.name for file in folder.iterdir()))}")


if __name__ == "__main__":
    main()
