"""Types of command-line arguments: each reads a text, or refuses it in one sentence."""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

_NAMED_SIZES = ("aligned", "square", "native")
# The network takes no smaller pictures; a longer side is a slip of the keyboard, and would exhaust the memory.
_SIDES = range(32, 65536)


def text(value: str) -> str:
    """Reads a text that must not be empty, which is what an unset shell variable gives.

    Args:
        value: The text.

    Returns:
        The same.

    Raises:
        argparse.ArgumentTypeError: It is empty.

    Example:

    >>> text("photos/*.jpg")
    'photos/*.jpg'
    """
    if not value.strip():
        raise argparse.ArgumentTypeError("the value is empty; give one, or leave the argument out")
    return value


def path(value: str) -> Path:
    """Reads the path of a file or folder; without this, an empty text would be the working folder.

    Args:
        value: The path.

    Returns:
        The path.

    Raises:
        argparse.ArgumentTypeError: It is empty, or an address.

    Example:

    >>> path("data").name
    'data'
    """
    if "://" in value:  # of which `Path` would make folders
        raise argparse.ArgumentTypeError(
            f"'{value}' is an address, and a path is needed here; mount the bucket, as with gcsfuse or mount-s3, and "
            "name the file or folder"
        )
    return Path(text(value))


def output_file(value: str) -> Path:
    """Reads the path of a file to write, and tries whether it can be written before any work is done.

    Args:
        value: The path. Its folder is made later if it does not exist.

    Returns:
        The path.

    Raises:
        argparse.ArgumentTypeError: It is empty, is a folder, or cannot be written.

    Example:

    >>> output_file("scores.json").name
    'scores.json'
    """
    file = path(value)
    if file.is_dir():
        raise argparse.ArgumentTypeError(f"'{value}' is a folder; name a file")
    _check_writable(file.parent)
    return file


def output_folder(value: str) -> Path:
    """Reads the path of a folder to write to, and tries whether it can be written before any work is done.

    Args:
        value: The path. The folder is made later if it does not exist.

    Returns:
        The path.

    Raises:
        argparse.ArgumentTypeError: It is empty, is a file, or cannot be written.

    Example:

    >>> output_folder("out").name
    'out'
    """
    folder = path(value)
    if folder.exists() and not folder.is_dir():
        raise argparse.ArgumentTypeError(f"'{value}' is a file; name a folder")
    _check_writable(folder)
    return folder


def prepared_folder(value: str) -> Path:
    """Reads the path of a folder of prepared examples, which may be read-only once they are there.

    Args:
        value: The path. The folder is made later if it does not exist.

    Returns:
        The path.

    Raises:
        argparse.ArgumentTypeError: It does not exist and cannot be made, is a file, or is an address.

    Example:

    >>> prepared_folder("cache").name
    'cache'
    """
    folder = path(value)
    return folder if folder.is_dir() else output_folder(value)


def size_choice(value: str) -> str | tuple[int, int]:
    """Reads the size at which the network sees a picture.

    Args:
        value: `"aligned"`, `"square"`, `"native"`, or what `image_size` reads.

    Returns:
        The word, or `(height, width)` in pixels.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> size_choice("native"), size_choice("512")
    ('native', (512, 512))
    """
    return value if value in _NAMED_SIZES else image_size(value)


def image_size(value: str) -> tuple[int, int]:
    """Reads a size in pixels.

    Args:
        value: `"512"` for a square, or `"512x1024"`, height before width; each from 32 to 65535.

    Returns:
        `(height, width)`.

    Raises:
        argparse.ArgumentTypeError: It is neither, or out of range.

    Example:

    >>> image_size("512x1024")
    (512, 1024)
    """
    match = re.fullmatch(r"([0-9]{1,20})(?:x([0-9]{1,20}))?", value)
    if match is None:
        raise argparse.ArgumentTypeError(f"{value!r} is not a size in pixels; write 512 or 512x1024 (height x width)")
    height, width = map(int, match.groups(default=match[1]))
    if height not in _SIDES or width not in _SIDES:
        raise argparse.ArgumentTypeError(f"{value!r} is not a size from {_SIDES[0]} to {_SIDES[-1]} pixels a side")
    return height, width


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Makes a reader of whole numbers.

    Args:
        lowest: The smallest number that it takes.
        highest: The largest number that it takes.

    Returns:
        A function of a text that returns the number, and raises an `argparse.ArgumentTypeError` for anything else.

    Example:

    >>> whole_number(1, 16)("12")
    12
    """

    def read(value: str) -> int:
        # `int` would take "1_000", " 7" and digits of other scripts, and refuse very long numbers in words of its own.
        if re.fullmatch(r"[0-9]{1,20}", value) is None or not lowest <= int(value) <= highest:
            raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from {lowest} to {highest}")
        return int(value)

    return read


_LARGEST = 2**31 - 1

positive_integer = whole_number(1, _LARGEST)
"""Reads a count."""

seed = whole_number(0, _LARGEST)
"""Reads the number of a sequence of random numbers."""

bit_depth = whole_number(1, 16)
"""Reads how many bits of a channel count."""

threshold = whole_number(1, 255)
"""Reads a threshold on the scale of 8 bits."""


def share(value: str) -> float:
    """Reads a number from 0 to 1.

    Args:
        value: The number.

    Returns:
        Its value.

    Raises:
        argparse.ArgumentTypeError: It is not such a number.

    Example:

    >>> share("0.25")
    0.25
    """
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number from 0 to 1")
    return number


def weight_below_one(value: str) -> float:
    """Reads the weight of what came before, from 0 to below 1, as `share` reads numbers up to 1.

    Args:
        value: The weight.

    Returns:
        The weight as a number.

    Raises:
        argparse.ArgumentTypeError: It is out of range.

    Example:

    >>> weight_below_one("0.6")
    0.6
    """
    number = share(value)
    if number == 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not below 1; labels would never change")
    return number


def seconds(value: str) -> float:
    """Reads a time in a video.

    Args:
        value: Seconds, such as `"12.5"`, or `"1:02:03.5"` for hours, minutes and seconds.

    Returns:
        Seconds.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> seconds("12.5"), seconds("1:30")
    (12.5, 90.0)
    """
    if re.fullmatch(r"([0-9]{1,9}:){0,2}[0-9]{1,9}(\.[0-9]{1,9})?", value) is None:
        raise argparse.ArgumentTypeError(f"{value!r} is not a time; write seconds as in 12.5, or 1:02:03.5")
    total = 0.0
    for part in value.split(":"):
        total = 60 * total + float(part)
    return total


def class_weights(value: str) -> str | list[float]:
    """Reads weights of classes.

    Args:
        value: `"auto"`, or numbers between commas.

    Returns:
        The word, or the numbers.

    Raises:
        argparse.ArgumentTypeError: It is neither.

    Example:

    >>> class_weights("1,2.5")
    [1.0, 2.5]
    """
    if value == "auto":
        return value
    try:
        return [float(number) for number in value.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is neither auto nor a number for each class, as in 1,2.5"
        ) from None


def _check_writable(folder: Path) -> None:
    existing = next((each for each in (folder, *folder.absolute().parents) if os.path.lexists(each)), folder)
    if not existing.is_dir():
        raise argparse.ArgumentTypeError(f"'{existing}' is not a folder; choose another path")
    try:
        # `os.access` says nothing about read-only disks of some kinds, quotas and virtual file systems.
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"nothing can be written into '{existing}' ({error.strerror}); choose another path"
        ) from error
