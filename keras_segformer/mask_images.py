"""Label maps as pictures for files."""

from __future__ import annotations

import numpy as np
from PIL import Image

from keras_segformer.label_sets import LabelSet

_MAX_PALETTE = 256


def mask_image(labels: np.ndarray, label_set: LabelSet) -> Image.Image:
    """Makes a picture whose pixel values are class indices.

    Args:
        labels: `(H, W)`, integer.
        label_set: The colours.

    Returns:
        8 bits per pixel with the colours of the classes as its palette, like the annotations of PASCAL VOC, or 16-bit
        grey where there are more than 256 classes.
    """
    if label_set.num_classes > _MAX_PALETTE:
        return Image.fromarray(labels.astype(np.uint16))
    # Filled up with black, because Pillow packs the pixels of small palettes into 1, 2 or 4 bits.
    palette = np.zeros((_MAX_PALETTE, 3), np.uint8)
    palette[: label_set.num_classes] = label_set.palette_array
    image = Image.fromarray(labels.astype(np.uint8))
    image.putpalette(palette.tobytes())
    return image
