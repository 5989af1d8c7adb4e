"""The rules for valid masks, which losses, metrics, `fit`, `evaluate` and the folder reader share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_segformer.errors import InvalidDatasetError

IGNORE = 255
"""The mask value of pixels that belong to no class: in every mask that leaves this package, and where a label set does
not say another."""

_LISTED = 5
_RGB = 3
_OR_COLORS = ", or, if these are RGB colours, replace each by the index of its class"


@dataclasses.dataclass(frozen=True)
class MaskRules:
    """The rules for the masks of a label set.

    A mask holds class indices, `0` to `num_labels - 1`, and `ignore_index` where a pixel has no class: as integers, or
    as floats that are whole. It has the aspect ratio of its picture and at least one pixel with a class.

    Args:
        num_labels: The number of labels; 2 for a model with a single logit.
        ignore_index: The value of pixels without label.

    Example:

    >>> MaskRules(2).check(np.array([[[0, 1, 255]]]))
    """

    num_labels: int
    ignore_index: int = IGNORE

    @classmethod
    def of_logits(cls, channels: int, ignore_index: int = IGNORE) -> MaskRules:
        """The rules for a model.

        Args:
            channels: Channels of its logits; 1 is binary segmentation, which has two labels.
            ignore_index: The value of pixels without label.

        Returns:
            The rules.
        """
        return cls(2 if channels == 1 else channels, ignore_index)

    def check(self, masks: np.ndarray, what: str = "The masks") -> None:
        """Checks the shape and every value of a batch of masks.

        Args:
            masks: `(B, H, W)` or `(B, H, W, 1)`.
            what: Their name in the message.

        Raises:
            InvalidDatasetError: The masks have another shape, are not whole numbers, or hold unknown labels.
        """
        check_mask_shape(masks.shape, self.num_labels)
        if masks.dtype.kind not in "biuf":
            raise InvalidDatasetError(f"{what} must be numbers, the class indices; got the dtype {masks.dtype}.")
        for mask in masks:
            if mask.dtype.kind == "f":
                self._check_whole(mask, what)
            if mask.size:
                self._check_labels(mask, what)

    def check_range(self, lowest: int, highest: int, what: str = "The labels") -> None:
        """Checks the labels of pixels that are not ignored.

        Args:
            lowest: The smallest of them.
            highest: The largest of them.
            what: Their name in the message.

        Raises:
            InvalidDatasetError: One is not a class.
        """
        if not 0 <= lowest <= highest < self.num_labels:
            raise InvalidDatasetError(
                f"{what} hold values from {lowest} to {highest}, but the classes are 0 to {self.num_labels - 1} and "
                f"{self.ignore_index} is ignored; {self.remedy(highest, lowest)}."
            )

    def remedy(self, highest: int, lowest: int = 0) -> str:
        """Suggests what to do about a label that is not a class.

        Args:
            highest: The largest label.
            lowest: The smallest label.

        Returns:
            A clause in the imperative.
        """
        if lowest < 0 and highest < self.num_labels:
            return (
                f"where negative ones are pixels without a class, such as -1 or a {self.ignore_index} read as int8, "
                f"map them with `np.where(masks < 0, {self.ignore_index}, masks.astype(int))`"
            )
        if self.num_labels == 2 and highest > 1:
            return f"map them to 0 and 1, for masks of 0 and {highest} with `masks // {highest}`"
        remedy = "map the values to class indices, as `raw_to_train` of classes.json does for the files of a folder"
        if highest == self.num_labels:
            remedy += f"; if they count from 1, subtract 1, and if not, the model needs {highest + 1} classes"
        return remedy

    def counts(self, masks: np.ndarray) -> np.ndarray:
        """The pixels of every label.

        Args:
            masks: Valid masks of any shape.

        Returns:
            `(num_labels + 1,)`, int64; the last counts the ignored pixels.

        Example:

        >>> MaskRules(2).counts(np.array([[0, 0, 255]])).tolist()
        [2, 0, 1]
        """
        counts = np.zeros(self.num_labels + 1, np.int64)
        for mask in masks:
            labels = np.where(mask == self.ignore_index, self.num_labels, mask).astype(np.int64).ravel()
            counts += np.bincount(labels, minlength=len(counts))
        return counts

    def has_labels(self, counts: np.ndarray) -> bool:
        """Returns True if any pixel has a class, without which there is nothing to learn or to score.

        Args:
            counts: The pixels of every label, as `counts` returns them.

        Example:

        >>> MaskRules(2).has_labels(np.array([0, 0, 9]))
        False
        """
        return bool(counts[:-1].any())

    def has_contrast(self, counts: np.ndarray) -> bool:
        """Returns True if there is anything to tell apart: several classes, or one class and nothing that is ignored.

        Args:
            counts: The pixels of every label, as `counts` returns them.

        Example:

        >>> MaskRules(2).has_contrast(np.array([5, 0, 4]))
        False
        """
        return bool(self.num_labels == 1 or counts[-1] == 0 or np.count_nonzero(counts[:-1]) > 1)

    def doubts(self, counts: np.ndarray, names: Sequence[str], is_all: bool) -> list[str]:
        """Lists likely mistakes in the classes of a data set.

        Args:
            counts: The pixels of every label, as `counts` returns them.
            names: The names of the classes.
            is_all: Whether all masks were counted, not only the first ones.

        Returns:
            Sentences, each with a remedy; none where all is well.

        Example:

        >>> MaskRules(2).doubts(np.array([5, 3, 1]), ["background", "cat"], is_all=True)
        []
        """
        present = np.flatnonzero(counts[:-1])
        if not self.has_labels(counts):
            return [f"no pixel has a label, all are {self.ignore_index}, which is ignored; {self._ignored_remedy()}"]
        if not self.has_contrast(counts):
            return [
                f"the only values are {present[0]} and {self.ignore_index}, which is ignored, so that there is nothing "
                f"to tell apart; {self._ignored_remedy()}"
            ]
        missing = np.setdiff1d(np.arange(self.num_labels), present)
        if is_all and len(missing):
            listed = ", ".join(f"{index} ({names[index]})" for index in missing[:_LISTED])
            listed += ", …" if len(missing) > _LISTED else ""
            return [
                f"no pixel has the class {listed}; check that the masks hold class indices (`raw_to_train` maps other "
                "values), or give the model fewer classes"
            ]
        return []

    def _ignored_remedy(self) -> str:
        return (
            f"if {self.ignore_index} is a class of yours, map it to an index, with `raw_to_train` in classes.json or, "
            f"for a foreground of {self.ignore_index}, with `masks // {self.ignore_index}`"
        )

    def _check_whole(self, mask: np.ndarray, what: str) -> None:
        if not np.isfinite(mask).all() or (mask != np.rint(mask)).any():
            odd = mask[~np.isfinite(mask) | (mask != np.rint(mask))].flat[0]
            raise InvalidDatasetError(
                f"{what} hold {odd:g}, which is not a whole number; give class indices, and resize masks with nearest "
                "neighbours."
            )

    def _check_labels(self, mask: np.ndarray, what: str) -> None:
        lowest, highest = mask.min(), mask.max()
        if lowest >= 0 and highest < self.num_labels:
            return
        labelled = mask[mask != self.ignore_index]
        if labelled.size:
            self.check_range(int(labelled.min()), int(labelled.max()), what)


def check_mask_shape(shape: Sequence[int | None], num_labels: int) -> None:
    """Checks the shape of a batch of masks.

    Args:
        shape: Its shape; lengths may be unknown.
        num_labels: The number of labels.

    Raises:
        InvalidDatasetError: It is not `(B, H, W)` or `(B, H, W, 1)`.

    Example:

    >>> check_mask_shape((8, 64, 64), num_labels=3)
    """
    shape = tuple(shape)
    if len(shape) == 4 and shape[-1] == num_labels and num_labels > 1:
        raise InvalidDatasetError(
            f"Masks are class indices (B, H, W), got one-hot masks {shape}; pass `masks.argmax(axis=-1)`, with the "
            f"ignored value where no class is set{_OR_COLORS if shape[-1] == _RGB else ''}."
        )
    if len(shape) == 4 and shape[-1] == _RGB:
        raise InvalidDatasetError(
            f"Masks are class indices (B, H, W), got {shape}, which may be RGB colours; replace each colour by the "
            "index of its class, as the files of a folder are by the palette of classes.json."
        )
    if len(shape) != 3 and (len(shape) != 4 or shape[-1] not in (1, None)):
        raise InvalidDatasetError(f"Masks need the shape (B, H, W) or (B, H, W, 1), class indices; got {shape}.")


def check_sizes(size: Sequence[int | None], mask_size: Sequence[int | None], what: str = "logits") -> None:
    """Checks that a mask has the aspect ratio of its picture, so that only the scale differs.

    Args:
        size: Height and width of the picture or of its logits; they may be unknown.
        mask_size: Height and width of the mask.
        what: What `size` is of.

    Raises:
        InvalidDatasetError: No scale, rounded up or down, makes one of the other.

    Example:

    >>> check_sizes((17, 25), (65, 97))  # a quarter, rounded up
    """
    if None in (*size, *mask_size) or _has_same_aspect(size, mask_size) or _has_same_aspect(mask_size, size):
        return
    remedy = "crop, pad or resize pictures and masks together"
    if tuple(size) == tuple(mask_size)[::-1]:
        remedy = "the masks are transposed, swap their axes"
    raise InvalidDatasetError(
        f"Masks of {mask_size[0]}x{mask_size[1]} (height x width) do not fit {what} of {size[0]}x{size[1]}; {remedy}."
    )


def _has_same_aspect(small: Sequence[int], large: Sequence[int]) -> bool:
    """Returns True if a scale takes the large size to the small one, rounded up or rounded down."""
    sides = list(zip(small, large, strict=True))
    # The scales that give `part` for `length`.
    up = [(length / part, length / (part - 1) if part > 1 else np.inf) for part, length in sides]
    down = [(length / (part + 1), length / part) for part, length in sides]
    rounded_up = max(low for low, _ in up) < min(high for _, high in up)
    rounded_down = max(low for low, _ in down) < min(high for _, high in down)
    return tuple(small) == tuple(large) or rounded_up or rounded_down
