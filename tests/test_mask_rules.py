from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.mask_rules import MaskRules, check_mask_shape, check_sizes

NAMES = ("background", "cat", "dog")


def masks(*values: float, dtype: str = "uint8") -> np.ndarray:
    return np.array([[values]], dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32"])
def test_whole_numbers_of_any_type_are_taken(dtype):
    MaskRules(2).check(masks(0, 1, 1, dtype=dtype))


def test_ignored_pixels_and_a_channel_are_taken():
    MaskRules(3, ignore_index=99).check(masks(0, 2, 99)[..., None])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (masks(0, 2), "values from 0 to 2, but the classes are 0 to 1 and 255 is ignored; .*`masks // 2`"),
        (masks(0, 128, 255), "values from 0 to 128"),
        (masks(-1, 0, dtype="int8"), r"values from -1 to 0, .*`np.where\(masks < 0, 255, masks.astype\(int\)\)`"),
        (masks(-1, 7, dtype="int8"), "values from -1 to 7.*masks of 0 and 7"),
        (masks(0, 254 / 255, dtype="float64"), r"hold 0\.996.*, which is not a whole number"),
        (masks(0, np.nan, dtype="float32"), "hold nan"),
        (masks(0, 1, dtype="complex64"), "must be numbers.*complex64"),
        (np.zeros((4, 4)), r"shape \(B, H, W\) or \(B, H, W, 1\), class indices; got \(4, 4\)"),
        (np.zeros((1, 4, 4, 2)), r"got one-hot masks \(1, 4, 4, 2\); pass `masks.argmax\(axis=-1\)`"),
        (np.zeros((1, 4, 4, 3)), r"got \(1, 4, 4, 3\), which may be RGB colours; replace each colour"),
    ],
)
def test_other_masks_are_refused(values, message):
    with pytest.raises(InvalidDatasetError, match=message):
        MaskRules(2).check(values)


def test_labels_that_count_from_1():
    with pytest.raises(
        InvalidDatasetError, match=r"from 1 to 3, .*if they count from 1, subtract 1, .* needs 4 classes"
    ):
        MaskRules(3).check(masks(1, 2, 3))


def test_three_channels_are_classes_or_colours():
    with pytest.raises(
        InvalidDatasetError, match=r"got one-hot masks .*argmax.* or, if these are RGB colours, replace"
    ):
        MaskRules(3).check(np.zeros((1, 4, 4, 3)))


def test_every_mask_of_a_batch_is_looked_at():
    batch = np.zeros((5, 2, 2), "uint8")
    batch[4, 1, 1] = 7
    with pytest.raises(InvalidDatasetError, match="from 0 to 7"):
        MaskRules.of_logits(1).check(batch)


def test_more_classes_than_the_ignored_value():
    MaskRules(300, ignore_index=65535).check(masks(0, 255, 299, 65535, dtype="int32"))


def test_counts():
    assert MaskRules(3).counts(masks(0, 2, 2, 255)).tolist() == [1, 0, 2, 1]


@pytest.mark.parametrize(
    ("values", "is_all", "doubt"),
    [
        (masks(0, 1, 2), True, None),
        (masks(0, 1), False, None),
        (masks(0, 1, 255), True, r"no pixel has the class 2 \(dog\)"),
        (masks(0), False, None),
        (masks(0), True, r"no pixel has the class 1 \(cat\), 2 \(dog\)"),
        (masks(0, 255), False, "the only values are 0 and 255, which is ignored.*`raw_to_train`.*`masks // 255`"),
        (masks(255), False, "no pixel has a label, all are 255"),
    ],
)
def test_class_sets_that_make_no_sense(values, is_all, doubt):
    rules = MaskRules(3)
    found = rules.doubts(rules.counts(values), NAMES, is_all)
    if doubt is None:
        assert found == []
    else:
        assert len(found) == 1
        with pytest.raises(AssertionError, match=doubt):
            raise AssertionError(found[0])


@given(height=st.integers(32, 2000), width=st.integers(32, 2000), stride=st.sampled_from([1, 2, 3, 4, 8]))
def test_any_scale_is_the_same_aspect(height, width, stride):
    up = (-(-height // stride), -(-width // stride))
    check_sizes(up, (height, width))
    check_sizes((height, width), up)
    check_sizes((height // stride, width // stride), (height, width))


@pytest.mark.parametrize(
    ("size", "mask_size"), [((64, 96), (96, 64)), ((512, 512), (512, 511)), ((16, 24), (96, 64)), ((32, 32), (64, 70))]
)
def test_another_aspect_is_refused(size, mask_size):
    with pytest.raises(InvalidDatasetError, match="do not fit logits"):
        check_sizes(size, mask_size)
    check_sizes((None, size[1]), mask_size)  # while it is not known


def test_transposed_masks_are_called_so():
    with pytest.raises(InvalidDatasetError, match=r"96x64 .* pictures of 64x96; the masks are transposed"):
        check_sizes((64, 96), (96, 64), "pictures")


def test_unknown_lengths_of_a_shape_are_no_fault():
    check_mask_shape((None, None, None), 3)
    check_mask_shape((None, None, None, None), 3)
