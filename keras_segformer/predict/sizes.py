"""The size to which a picture is resized for the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from keras_segformer.errors import InvalidImageError
from keras_segformer.models.segformer import MIN_IMAGE_SIZE

Size = tuple[int, int]
SizeChoice = Literal["aligned", "square", "native"] | Size

ALIGNMENT = 32
LONG_SIDE = 2048


def resize_shape(image_size: Size, choice: SizeChoice, input_size: Size, scale: float = 1.0) -> Size:
    """Chooses the size to which a picture is resized for the network.

    Args:
        image_size: `(height, width)` of the picture in pixels.
        choice: One of
            - `"aligned"`, the test pipeline behind the published figures (`AlignedResize` of the original code):
              the aspect ratio is kept, the short side becomes the shorter of `input_size` or the long side 2048,
              whichever is less; then both are rounded up to multiples of 32;
            - `"square"`: `input_size` itself, whatever the aspect ratio;
            - `"native"`: the picture's own size;
            - `(height, width)`.
        input_size: `(height, width)` in pixels for which the model was trained.
        scale: Factor on the chosen size, for multi-scale evaluation. `"aligned"` multiplies both bounds and then
            rounds up, as the original does; other sizes are rounded to whole pixels.

    Returns:
        `(height, width)` in pixels, each at least 32.

    Raises:
        InvalidImageError: `"native"` for a picture smaller than 32x32 pixels.
        ValueError: `choice` is something else.

    Example:

    >>> resize_shape((480, 640), "aligned", (512, 512))
    (512, 704)
    """
    if not isinstance(choice, str):
        return _scaled(_checked_size(choice), scale)
    if choice == "aligned":
        return _aligned(image_size, input_size, scale)
    if choice == "square":
        return _scaled(input_size, scale)
    if choice == "native":
        return _scaled(_native(image_size), scale)
    raise _not_a_choice(choice)


def _aligned(image_size: Size, input_size: Size, scale: float) -> Size:
    short_side, long_side = int(min(input_size) * scale), int(max(*input_size, LONG_SIDE) * scale)
    factor = min(short_side / min(image_size), long_side / max(image_size))
    # Rounded to whole pixels first, as the original does: 704.3 becomes 704 and not 736.
    height, width = (math.ceil(max(1, int(side * factor + 0.5)) / ALIGNMENT) * ALIGNMENT for side in image_size)
    return height, width


def _scaled(size: Size, scale: float) -> Size:
    height, width = (max(MIN_IMAGE_SIZE, round(side * scale)) for side in size)
    return height, width


def _native(image_size: Size) -> Size:
    if min(image_size) < MIN_IMAGE_SIZE:
        raise InvalidImageError(
            f"the picture has {image_size[0]}x{image_size[1]} pixels, but the network needs at least "
            f'{MIN_IMAGE_SIZE}x{MIN_IMAGE_SIZE}; use size="aligned", which enlarges it'
        )
    return image_size


def _checked_size(choice: object) -> Size:
    numbers = tuple(choice) if isinstance(choice, Sequence) else ()
    if len(numbers) != 2 or not all(isinstance(number, int) and number >= MIN_IMAGE_SIZE for number in numbers):
        raise _not_a_choice(choice)
    return numbers


def _not_a_choice(choice: object) -> ValueError:
    return ValueError(
        '`size` must be "aligned", "square", "native" or (height, width) in pixels, each an integer of at least '
        f"{MIN_IMAGE_SIZE}; got {choice!r}"
    )
