"""What a SavedModel computes around the network: from files to pixels, and from logits to labels.

Everything is the arithmetic of `keras_segformer.predict`, in operations of TensorFlow, so that a server returns the
labels of `segment`.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from keras_segformer.bit_depth import DEPTHS
from keras_segformer.predict.sizes import ALIGNMENT, LONG_SIDE

_JPEG_HEAD = 1 << 17  # bytes of a file in which the EXIF data lie
_EXIF_OF_JPEG, _EXIF_OF_PNG = b"Exif\0\0", b"eXIf"  # what precedes them
_ORIENTATION = 0x0112  # the tag of EXIF
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH = 24  # the place of the number of bits a channel
_LEAST_OF_16_BITS = 1 << DEPTHS[-2]  # a pixel of this or more needs all 16 bits, as in `scale_to_bytes`
_HALF = 128 << 7  # rounds Pillow's fixed-point mixtures


def decode_picture(content: tf.Tensor) -> tf.Tensor:
    """Decode a JPEG or PNG file as `load_image` does: upright by its EXIF orientation, laid over white.

    Args:
        content: The bytes of a file, a text scalar.

    Returns:
        `(H, W, 3)`, uint8, RGB.

    Raises:
        InvalidArgumentError: When the graph runs, the bytes are not those of a JPEG or PNG file, it is damaged, or it
            has 16 bits of which only some count, and does not say how many.
    """

    def decode_jpeg() -> tf.Tensor:
        # The method of Pillow; TensorFlow's default is faster and differs by some steps.
        pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
        return _upright(pixels, _orientation(tf.strings.substr(content, 0, _JPEG_HEAD), _EXIF_OF_JPEG))

    def decode_png() -> tf.Tensor:
        return _upright(_over_white(_decode_png(content)), _orientation(content, _EXIF_OF_PNG))

    return tf.cond(tf.io.is_jpeg(content), decode_jpeg, decode_png)


def aligned_size(size: tf.Tensor, input_size: tuple[int, int]) -> tf.Tensor:
    """Compute the size at which the network sees a picture, as `resize_shape` does for `"aligned"`.

    Args:
        size: Height and width of the picture, `(2,)`, integers.
        input_size: `(height, width)` for which the model was trained.

    Returns:
        `(2,)`, int32.
    """
    sides = tf.cast(size, tf.float64)
    short_side, long_side = min(input_size), max(*input_size, LONG_SIDE)
    factor = tf.minimum(short_side / tf.reduce_min(sides), long_side / tf.reduce_max(sides))
    whole = tf.maximum(tf.cast(sides * factor + 0.5, tf.int32), 1)
    return -(-whole // ALIGNMENT) * ALIGNMENT


def resize_picture(picture: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Resize a picture bilinearly without antialiasing.

    Args:
        picture: `(H, W, 3)`, uint8.
        size: The new height and width, `(2,)`.

    Returns:
        `(height, width, 3)`, float32.
    """
    pixels = tf.cast(picture, tf.float32)
    rows = _mix(pixels, _interpolation(tf.shape(pixels)[0], size[0]), axis=0)
    return _mix(rows, _interpolation(tf.shape(pixels)[1], size[1]), axis=1)


def enlarge(
    logits: tf.Tensor, size: tf.Tensor, finish: Callable[[tf.Tensor], tf.Tensor], spec: tf.TensorSpec
) -> tf.Tensor:
    """Enlarge logits row by row, so that those of all rows are never in memory at once.

    Args:
        logits: `(B, h, w, labels)`.
        size: The new height and width, `(2,)`.
        finish: Computes what is kept of a row `(B, width, labels)`.
        spec: Shape and type of what it returns.

    Returns:
        What `finish` returned for every row, `(B, height, width, ...)`.
    """
    low, high, weight = _interpolation(tf.shape(logits)[1], size[0])
    horizontal = _interpolation(tf.shape(logits)[2], size[1])

    def finish_row(row: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
        mixed = logits[:, row[0]] * (1 - row[2]) + logits[:, row[1]] * row[2]  # (B, w, labels)
        return finish(_mix(mixed, horizontal, axis=1))

    rows = tf.map_fn(finish_row, (low, high, weight), fn_output_signature=spec)  # (height, B, width, ...)
    return tf.transpose(rows, [1, 0, *range(2, len(rows.shape))])


def enlarged_labels(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Find the class of the largest enlarged logit at every pixel.

    Args:
        logits: `(B, h, w, labels)`.
        size: Height and width of the label map, `(2,)`.

    Returns:
        `(B, height, width)`, int32.
    """
    spec = tf.TensorSpec((None, None), tf.int32)
    return enlarge(logits, size, lambda row: tf.argmax(row, axis=-1, output_type=tf.int32), spec)


def enlarged_probabilities(logits: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Compute the softmax of the enlarged logits.

    Args:
        logits: `(B, h, w, labels)`.
        size: Height and width of the result, `(2,)`.

    Returns:
        `(B, height, width, labels)`, float32.
    """
    return enlarge(logits, size, tf.nn.softmax, tf.TensorSpec((None, None, logits.shape[-1]), tf.float32))


def _interpolation(source: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The two neighbours of every target position and the share of the second; see `interpolation` of `predict`."""
    length, targets = tf.cast(source, tf.float64), tf.cast(target, tf.float64)
    centers = (tf.range(targets, dtype=tf.float64) + 0.5) * (length / targets) - 0.5
    centers = tf.clip_by_value(centers, 0, length - 1)
    low = tf.floor(centers)
    first = tf.cast(low, tf.int32)
    return first, tf.minimum(first + 1, source - 1), tf.cast(centers - low, tf.float32)


def _mix(x: tf.Tensor, interpolation: tuple[tf.Tensor, tf.Tensor, tf.Tensor], axis: int) -> tf.Tensor:
    low, high, weight = interpolation
    weight = tf.reshape(weight, [-1, *[1] * (len(x.shape) - axis - 1)])
    return tf.gather(x, low, axis=axis) * (1 - weight) + tf.gather(x, high, axis=axis) * weight


def _decode_png(content: tf.Tensor) -> tf.Tensor:
    """Pixels `(H, W, 4)`, uint8, with transparency.

    Raises:
        InvalidArgumentError: When the graph runs, it is not a PNG file, or is damaged.
    """
    is_png = tf.strings.substr(content, 0, len(_PNG_SIGNATURE)) == _PNG_SIGNATURE
    # TensorFlow's decoder of PNG files takes some others, and complains of their channels.
    refusal = tf.debugging.Assert(is_png, ["This is no JPEG or PNG file; send the content of one."])
    with tf.control_dependencies([refusal]):
        upper_bits = tf.io.decode_png(content, channels=4)
    # Where colours of 1, 2 or 4 bits have no transparency, it fills in the largest number of so many bits, not 255.
    with tf.control_dependencies([upper_bits]):  # only then there is a depth to read
        depth = tf.io.decode_raw(tf.strings.substr(content, _PNG_DEPTH, 1), tf.uint8)[0]
    before_pixels = tf.strings.split(content, b"IDAT", maxsplit=1)[0]
    layer = tf.cond(tf.equal(depth, 16), lambda: _from_16_bits(content, before_pixels), lambda: upper_bits)
    has_transparency = tf.size(tf.strings.split(before_pixels, b"tRNS")) > 1
    opacity = tf.where((depth < 8) & ~has_transparency, tf.constant(255, tf.uint8), layer[..., 3:])
    return tf.concat([layer[..., :3], opacity], axis=-1)


def _from_16_bits(content: tf.Tensor, before_pixels: tf.Tensor) -> tf.Tensor:
    """Pixels of a PNG file with 16 bits a channel, in the arithmetic of `scale_to_bytes`."""
    layer = tf.cast(tf.io.decode_png(content, channels=4, dtype=tf.uint16), tf.int32)
    stated, high = _stated_bits(before_pixels), tf.reduce_max(layer[..., :3])
    is_sure = (stated > 0) | (high == 0) | (high >= _LEAST_OF_16_BITS)
    doubt = "The picture has 16 bits a channel but no large value, as pictures of fewer bits have; send it with 8 bits."
    unsure = tf.debugging.Assert(is_sure, [doubt])
    largest = tf.where(stated > 0, tf.bitwise.left_shift(1, stated) - 1, 65535)
    excess = "The picture has values above the bits that its chunk sBIT states; send it with 8 bits."
    too_high = tf.debugging.Assert(high <= largest, [excess])
    with tf.control_dependencies([unsure, too_high]):
        colours = tf.cast(layer[..., :3], tf.float32) * tf.cast(255 / largest, tf.float32)
    return tf.cast(tf.concat([tf.cast(tf.round(colours), tf.int32), layer[..., 3:] // 256], axis=-1), tf.uint8)


def _stated_bits(before_pixels: tf.Tensor) -> tf.Tensor:
    """How many of 16 bits count by a PNG file's chunk `sBIT`; 0 where it does not say more than 8."""
    parts = tf.strings.split(before_pixels, b"sBIT")

    def largest() -> tf.Tensor:
        length = tf.cast(tf.io.decode_raw(tf.strings.substr(parts[0], -1, 1), tf.uint8)[0], tf.int32)
        bits = tf.cast(tf.io.decode_raw(tf.strings.substr(parts[1], 0, length), tf.uint8), tf.int32)
        found = tf.reduce_max(bits)
        return tf.where((found > 8) & (found <= 16), found, 0)

    return tf.cond(tf.size(parts) > 1, largest, lambda: tf.constant(0))


def _over_white(layer: tf.Tensor) -> tf.Tensor:
    """Pixels `(H, W, 4)` with transparency over white, in the fixed-point arithmetic of Pillow's `alpha_composite`."""
    values = tf.cast(layer, tf.int32)
    share = values[..., 3:] * 128
    mixture = values[..., :3] * share + 255 * (255 * 128 - share) + _HALF
    return tf.cast(((mixture // 256 + mixture) // 256) // 128, tf.uint8)


def _orientation(content: tf.Tensor, mark: bytes) -> tf.Tensor:
    """The EXIF orientation of a file, 1 to 8; 1 where it has none."""
    # What follows the mark is a TIFF file, whose first directory has the orientation.
    parts = tf.strings.split(content, mark, maxsplit=1)
    tiff = tf.cond(tf.size(parts) > 1, lambda: tf.strings.substr(parts[1], 0, _JPEG_HEAD), lambda: tf.constant(b""))
    data = tf.cast(tf.io.decode_raw(tiff, tf.uint8), tf.int32)
    is_little = tf.equal(tf.strings.substr(tf.strings.join([tiff, b"  "]), 0, 2), b"II")
    end = tf.size(data)

    def read(positions: tf.Tensor, length: int) -> tf.Tensor:
        """Unsigned integers of `length` bytes; bytes behind the end are 0."""
        places = positions[..., None] + tf.range(length)
        bytes_ = tf.where(places < end, tf.gather(tf.pad(data, [[0, 1]]), tf.clip_by_value(places, 0, end)), 0)
        shifts = tf.range(length) * 8
        return tf.reduce_sum(tf.bitwise.left_shift(bytes_, tf.where(is_little, shifts, shifts[::-1])), axis=-1)

    directory = read(tf.constant(4), 4)
    entries = directory + 2 + 12 * tf.range(tf.minimum(read(directory, 2), end // 12))
    values = tf.boolean_mask(read(entries + 8, 2), read(entries, 2) == _ORIENTATION)
    found = tf.concat([values, [1]], axis=0)[0]
    return tf.where((found >= 1) & (found <= 8), found, 1)


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    pixels = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, (1, 0, 2)), lambda: pixels)
    for axis, mirrored in ((1, (2, 3, 6, 7)), (0, (3, 4, 7, 8))):
        is_mirrored = tf.reduce_any(orientation == tf.constant(mirrored))
        pixels = tf.cond(is_mirrored, lambda x=pixels, axis=axis: tf.reverse(x, [axis]), lambda x=pixels: x)
    return pixels
