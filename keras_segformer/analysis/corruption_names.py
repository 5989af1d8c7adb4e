"""The corruptions of Cityscapes-C with what the paper measured, in a module that imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_ALL = (1, 2, 3, 4, 5)
_WEAK = (1, 2, 3)


class Corruption(NamedTuple):
    """A corruption as the paper uses it.

    Args:
        group: What kind of corruption it is.
        severities: Those that the paper averages over.
        paper_b5: Mean IoU in percent of SegFormer-B5, on the validation pictures of Cityscapes.
        paper_deeplab: That of DeepLabv3+ with MobileNetV2.
    """

    group: str
    severities: tuple[int, ...]
    paper_b5: float
    paper_deeplab: float


CORRUPTIONS: Mapping[str, Corruption] = {
    "motion_blur": Corruption("blur", _ALL, 69.1, 53.5),
    "defocus_blur": Corruption("blur", _ALL, 68.6, 49.0),
    "glass_blur": Corruption("blur", _ALL, 64.1, 45.3),
    "gaussian_blur": Corruption("blur", _ALL, 69.8, 49.1),
    "gaussian_noise": Corruption("noise", _WEAK, 57.8, 6.4),
    "impulse_noise": Corruption("noise", _WEAK, 63.4, 7.0),
    "shot_noise": Corruption("noise", _WEAK, 52.3, 6.6),
    "speckle_noise": Corruption("noise", _WEAK, 72.8, 16.6),
    "brightness": Corruption("digital", _ALL, 81.0, 51.7),
    "contrast": Corruption("digital", _ALL, 77.7, 46.7),
    "saturate": Corruption("digital", _ALL, 80.1, 32.4),
    "jpeg_compression": Corruption("digital", _ALL, 58.8, 27.2),
    "snow": Corruption("weather", _ALL, 40.7, 13.7),
    "spatter": Corruption("weather", _ALL, 68.4, 38.9),
    "fog": Corruption("weather", _ALL, 78.5, 47.4),
    "frost": Corruption("weather", _ALL, 49.9, 17.3),
}
"""The corruptions in the order of table 5 of the paper."""

PAPER_CLEAN = {"b5": 82.4, "deeplab": 72.0}
"""Mean IoU in percent of the two models of `Corruption` on clean pictures."""
