"""What a run starts from where it is not told, and the terms of it."""

from __future__ import annotations

from keras_segformer.models import VARIANTS
from keras_segformer.presets import PRESETS
from keras_segformer.presets.availability import is_available

_FREE = "pvt_v2_b0_imagenet"
"""The default: weights that may be used for anything."""

_BUNDLED = "b0_camvid"
_STRONGER = "b0_ade20k"


def default_start() -> str:
    """Chooses the preset to start from.

    Returns:
        `pvt_v2_b0_imagenet`, or the preset that comes with the package where it can neither be found on this machine
        nor be downloaded.
    """
    return _FREE if is_available(_FREE) else _BUNDLED


def describe_start(initial: str, random_weights: bool = False, is_default: bool = False) -> str:
    """Says what a run starts from.

    Args:
        initial: Preset or variant.
        random_weights: Whether only its architecture is used.
        is_default: Whether `default_start` chose it.

    Returns:
        A line with the licence of the weights, and with a stronger preset where nobody chose.

    Example:

    >>> describe_start("pvt_v2_b0_imagenet").partition(":")[0]
    'Starts from pvt_v2_b0_imagenet, Apache-2.0 (commercial use allowed)'
    """
    if random_weights or initial in VARIANTS:
        return f"Starts from random weights of the architecture {initial}"
    info = PRESETS.get(initial)
    line = f"Starts from {initial}{f', {info.license.terms}' if info else ''}"
    if not is_default:
        return line
    reason = "" if initial == _FREE else f"; {_FREE} is not on this machine and cannot be downloaded"
    return f"{line}{reason}; for non-commercial use --preset {_STRONGER} is stronger"
