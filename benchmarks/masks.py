"""What reading and checking masks costs beside decoding them.

    python benchmarks/masks.py CamVid/train/labels

"decode" opens every PNG file with Pillow and makes an array of it. "read and check" is what `data check` and the
preparation of a data set do: verify the check sums, list the values, decide what they mean, and map them to classes.
Both run in turn on one thread; the time of the processor counts, so that other programs do not disturb the figures.
"""

from __future__ import annotations

import argparse
import io
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.data.masks import MaskCoding, decide_readings
from keras_segformer.data.sources import SOURCES


def main() -> None:
    """Prints the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of PNG masks with the values of CamVid, 0 to 11")
    parser.add_argument("--count", type=int, default=1000, help="how many masks are read (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often (default: %(default)s)")
    args = parser.parse_args()
    files = [path.read_bytes() for path in sorted(args.folder.glob("*.png"))]
    masks = list(itertools.islice(itertools.cycle(files), args.count))
    coding = SOURCES["camvid"].coding(args.folder)
    rounds = [(seconds(decode_all, masks), seconds(check_all, masks, coding)) for _ in range(args.rounds)]
    decoding, checking = map(statistics.median, zip(*rounds, strict=True))
    print(f"decode {len(masks)} masks: {decoding:.2f} s")
    ratio = statistics.median(check / decode for decode, check in rounds)
    print(f"read and check them: {checking:.2f} s, {ratio:.2f} times as long")


def decode_all(masks: list[bytes]) -> None:
    """Decodes every mask."""
    for data in masks:
        with Image.open(io.BytesIO(data)) as image:
            np.asarray(image)


def check_all(masks: list[bytes], coding: MaskCoding) -> None:
    """Reads and checks every mask, as the check of a data set does."""
    surveys = [read_mask_pixels(data).survey() for data in masks]
    coding = decide_readings(coding, surveys)
    for survey in surveys:
        counts = np.bincount(coding.classes_of(survey), weights=survey.counts, minlength=256)
        assert counts[: coding.rules.num_labels].any()


def seconds(work: Callable[..., None], *arguments: object) -> float:
    """The time of the processor that a function takes in this thread."""
    start = time.thread_time()
    work(*arguments)
    return time.thread_time() - start


if __name__ == "__main__":
    main()
