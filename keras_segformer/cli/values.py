"""Readers of the values that commands take."""

from __future__ import annotations

import argparse
import re

_NAMED_SIZES = ("aligned", "square", "native")


def size_choice(text: str) -> str | tuple[int, int]:
    """Reads the size at which the network sees a picture.

    Args:
        text: `"aligned"`, `"square"`, `"native"`, or what `image_size` reads.

    Returns:
        The word, or `(height, width)` in pixels.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> size_choice("native"), size_choice("512")
    ('native', (512, 512))
    """
    return text if text in _NAMED_SIZES else image_size(text)


def image_size(text: str) -> tuple[int, int]:
    """Reads a size in pixels.

    Args:
        text: `"512"` for a square, or `"512x1024"`, height before width.

    Returns:
        `(height, width)`.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> image_size("512x1024")
    (512, 1024)
    """
    match = re.fullmatch(r"([0-9]+)(?:x([0-9]+))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in pixels; write 512 or 512x1024 (height x width)")
    height, width = match.groups(default=match[1])
    return int(height), int(width)


def bit_depth(text: str) -> int:
    """Reads how many bits of a channel count.

    Args:
        text: The number.

    Returns:
        Its value.

    Raises:
        argparse.ArgumentTypeError: It is not a whole number from 1 to 16.

    Example:

    >>> bit_depth("12")
    12
    """
    if re.fullmatch("[1-9]|1[0-6]", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 16")
    return int(text)


def share(text: str) -> float:
    """Reads a number from 0 to 1.

    Args:
        text: The number.

    Returns:
        Its value.

    Raises:
        argparse.ArgumentTypeError: It is not such a number.

    Example:

    >>> share("0.25")
    0.25
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def positive_integer(text: str) -> int:
    """Reads a whole number of at least 1.

    Args:
        text: The number.

    Returns:
        Its value.

    Raises:
        argparse.ArgumentTypeError: It is not such a number.

    Example:

    >>> positive_integer("12")
    12
    """
    if re.fullmatch(r"0*[1-9][0-9]*", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def class_weights(text: str) -> str | list[float]:
    """Reads weights of classes.

    Args:
        text: `"auto"`, or numbers between commas.

    Returns:
        The word, or the numbers.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> class_weights("1,2.5")
    [1.0, 2.5]
    """
    if text == "auto":
        return text
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a number for each class, as in 1,2.5") from None
