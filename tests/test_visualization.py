"""Pictures of label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from keras_segformer.errors import InvalidImageError
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.label_sets.display_colors import palette_colors
from keras_segformer.visualization import ClassShare, class_shares, color_mask, legend, overlay, picture

CITYSCAPES = load_label_set("cityscapes")
ADE20K = load_label_set("ade20k")
SHOWN = palette_colors(CITYSCAPES)
WHITE = np.array([255, 255, 255])

label_maps = hnp.arrays(
    st.sampled_from([np.uint8, np.int16, np.int32, np.int64, np.uint16]),
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([*range(19), 255]),
)


def stripes(count: int, height: int = 40) -> np.ndarray:
    """Classes 0 to `count - 1` as vertical stripes, each narrower than the one before it."""
    return np.repeat(np.arange(count), np.arange(count, 0, -1))[np.newaxis].repeat(height, axis=0)


def colors_of(image: np.ndarray) -> set[tuple[int, ...]]:
    return set(map(tuple, np.unique(image.reshape(-1, 3), axis=0).tolist()))


# --- Colour masks


@given(label_maps)
def test_color_mask_draws_every_class_in_its_color_and_ignored_pixels_black(labels):
    mask = color_mask(labels, CITYSCAPES)
    assert mask.dtype == np.uint8
    colors = {**dict(enumerate(CITYSCAPES.palette)), 255: (0, 0, 0)}
    expected = [[colors[index] for index in row] for row in labels.tolist()]
    np.testing.assert_array_equal(mask, expected)


def test_color_mask_of_a_label_set_with_more_than_255_classes():
    label_set = LabelSet.generic(300)
    mask = color_mask(np.array([[255, 299, 65535]]), label_set)
    np.testing.assert_array_equal(mask[0], [label_set.palette[255], label_set.palette[299], (0, 0, 0)])


def test_color_mask_of_binary_labels():
    label_set = LabelSet.generic(1)
    assert colors_of(color_mask(np.array([[0, 1]]), label_set)) == set(label_set.palette)


FUNCTIONS = [color_mask, class_shares, legend, lambda labels, label_set: overlay(np.zeros((2, 2)), labels, label_set)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=["color_mask", "class_shares", "legend", "overlay"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([[0, 19], [20, 255]]), r"`labels` holds 19, 20, but label set 'cityscapes' has the classes 0 to 18"),
        (np.array([[0, -1], [3, 4]]), "`labels` holds -1, but .* map raw annotation values with raw_to_train"),
        (np.zeros((2, 2), dtype=np.float32), r"`labels` must be integer class indices .*; got float32 \(2, 2\)"),
        (np.zeros((2, 2), dtype=bool), r"`labels` must be integer class indices .*; got bool \(2, 2\)"),
    ],
)
def test_labels_that_are_no_classes(function, labels, message):
    with pytest.raises(ValueError, match=message):
        function(labels, CITYSCAPES)


@pytest.mark.parametrize("shape", [(4,), (2, 2, 1), (1, 2, 2), (0, 3)])
def test_labels_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"`labels` must be integer class indices of shape \(height, width\)"):
        color_mask(np.zeros(shape, dtype=int), CITYSCAPES)


def test_the_message_lists_ten_values_at_most():
    with pytest.raises(ValueError, match="`labels` holds 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, …, but"):
        color_mask(np.arange(200)[np.newaxis], CITYSCAPES)


# --- Overlays


def halves(size: int = 20) -> np.ndarray:
    """Road on the left, sky on the right."""
    labels = np.zeros((size, 2 * size), dtype=np.uint8)
    labels[:, size:] = 10
    return labels


def test_overlay_mixes_image_and_colors():
    image = np.full((20, 40, 3), (100, 50, 200), dtype=np.uint8)
    result = overlay(image, halves(), CITYSCAPES, opacity=0.5)
    assert result.dtype == np.uint8
    assert result.shape == image.shape
    for column, color in ((3, SHOWN[0]), (30, SHOWN[10])):
        np.testing.assert_allclose(result[:, column], np.tile((image[0, 0] + np.array(color)) / 2, (20, 1)), atol=1)


def test_pictures_can_have_the_official_colors():
    labels = halves(40)
    result = picture(np.zeros((*labels.shape, 3), np.uint8), labels, CITYSCAPES, opacity=1, palette="official")
    assert {CITYSCAPES.palette[0], CITYSCAPES.palette[10]} <= colors_of(result[:, : labels.shape[1]])
    assert {CITYSCAPES.palette[0], CITYSCAPES.palette[10]} <= colors_of(result[:, labels.shape[1] :])


def test_overlay_draws_a_light_border_between_classes():
    result = overlay(np.full((20, 40, 3), 90, dtype=np.uint8), halves(), CITYSCAPES).astype(int)
    brighter = result.min(axis=(0, 2)) > 190
    assert np.flatnonzero(brighter).tolist() == [20]


def test_borders_grow_with_the_image():
    labels = halves(1500)
    result = overlay(np.full((*labels.shape, 3), 90, dtype=np.uint8), labels, CITYSCAPES)
    assert np.flatnonzero(result[700].min(axis=1) > 190).tolist() == [1500, 1501, 1502]


@given(label_maps)
def test_no_opacity_leaves_the_image_and_full_opacity_the_colors(labels):
    image = np.random.default_rng(0).integers(0, 256, (*labels.shape, 3), dtype=np.uint8)
    np.testing.assert_array_equal(overlay(image, labels, CITYSCAPES, opacity=0), image)
    ignored = (labels == 255)[..., np.newaxis]
    expected = np.where(ignored, image, color_mask(labels, CITYSCAPES, palette="display"))
    np.testing.assert_array_equal(overlay(image, labels, CITYSCAPES, opacity=1), expected)


def test_ignored_pixels_show_the_image():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(overlay(image, np.full((9, 9), 255), CITYSCAPES), image)


def test_overlay_reads_files_and_leaves_its_arguments_alone(tmp_path):
    image, labels = np.full((20, 40, 3), 90, dtype=np.uint8), halves()
    Image.fromarray(image).save(tmp_path / "image.png")
    result = overlay(tmp_path / "image.png", labels, CITYSCAPES)
    np.testing.assert_array_equal(overlay(image, labels, CITYSCAPES), result)
    assert image.min() == image.max() == 90
    np.testing.assert_array_equal(labels, halves())


@pytest.mark.parametrize("opacity", [-0.1, 1.1, np.nan])
def test_opacity_out_of_range(opacity):
    with pytest.raises(ValueError, match="`opacity` must be from 0 to 1; got"):
        overlay(np.zeros((20, 40, 3)), halves(), CITYSCAPES, opacity=opacity)


def test_labels_of_another_size_than_the_image():
    with pytest.raises(
        ValueError, match=r"must have the size of the image, \(40, 20\) .*; got \(20, 40\): resize them"
    ):
        overlay(np.zeros((40, 20, 3)), halves(), CITYSCAPES)


def test_image_that_is_none():
    with pytest.raises(InvalidImageError):
        overlay(np.zeros((20, 40, 2)), halves(), CITYSCAPES)


# --- Shares


@given(label_maps)
def test_shares_add_up_and_fall(labels):
    shares = class_shares(labels, CITYSCAPES)
    kept = labels[labels != 255]
    assert {share.index for share in shares} == set(kept.tolist())
    assert [share.share for share in shares] == sorted((share.share for share in shares), reverse=True)
    for share in shares:
        assert share.name == CITYSCAPES.names[share.index]
        assert share.share == pytest.approx(np.mean(kept == share.index))
    assert not shares or sum(share.share for share in shares) == pytest.approx(1)


def test_shares_do_not_count_ignored_pixels():
    assert class_shares(np.array([[0, 10, 10, 10, 255, 255]]), CITYSCAPES) == [(10, "sky", 0.75), (0, "road", 0.25)]


def test_equal_shares_stand_in_the_order_of_the_classes():
    assert [share.index for share in class_shares(np.array([[7, 3, 5]]), CITYSCAPES)] == [3, 5, 7]


def test_a_share_holds_plain_python_values():
    (share,) = class_shares(np.zeros((2, 2), dtype=np.uint8), CITYSCAPES)
    assert share == ClassShare(0, "road", 1.0)
    assert [type(value) for value in share] == [int, str, float]


def test_shares_of_a_picture_without_classes():
    assert class_shares(np.full((3, 3), 255), CITYSCAPES) == []


# --- Legends


@pytest.mark.parametrize("height", [None, 200, 512, 1500])
def test_legend_shows_the_color_of_every_class_present_and_no_other(height):
    present = [0, 2, 10, 13]
    image = legend(np.array([present]), CITYSCAPES, height=height)
    assert image.dtype == np.uint8
    assert image.shape[0] == (height or image.shape[0])
    colors = colors_of(image)
    assert {SHOWN[index] for index in present} <= colors
    absent = {SHOWN[index] for index in set(range(19)) - set(present)}
    greys = {color for color in absent if len(set(color)) == 1}  # the edges of letters are grey too
    assert not (absent - greys) & colors


def test_legend_is_in_the_order_of_the_shares():
    image = legend(stripes(5), CITYSCAPES)
    first_rows = [np.argwhere((image == color).all(axis=-1))[0, 0] for color in SHOWN[:5]]
    assert first_rows == sorted(first_rows)
    assert np.diff(first_rows).min() >= 18


def test_legend_is_dark_on_white():
    image = legend(np.zeros((4, 4), dtype=int), CITYSCAPES)
    np.testing.assert_array_equal(image[[0, 0, -1, -1], [0, -1, 0, -1]], np.tile(WHITE, (4, 1)))
    letters = image[:, image.shape[1] // 3 :]
    assert letters.min() <= 40
    assert 0.01 < np.mean(letters < 128) < 0.3


def test_legend_without_height_has_a_row_for_every_class():
    image = legend(stripes(150), ADE20K)
    assert image.shape[0] == 150 * 28
    assert colors_of(image) >= set(ADE20K.palette)


def test_legend_of_too_many_classes_is_cut_off():
    image = legend(stripes(150), ADE20K, height=480)
    colors = colors_of(image)
    shown = [color in colors for color in ADE20K.palette]
    assert all(shown[:40])
    assert sum(shown) < 70
    assert image.shape == (480, image.shape[1], 3)
    assert image.shape[1] < 400


def test_legend_of_some_more_classes_has_two_columns():
    one, two = (legend(stripes(count), ADE20K, height=480).shape[1] for count in (20, 40))
    assert 1.5 * one < two < 3 * one


def test_long_names_are_shortened():
    names = ("a very long name " * 10, "b")
    label_set = LabelSet("long", names, ((1, 2, 3), (4, 5, 6)))
    assert legend(np.array([[0, 1]]), label_set).shape[1] < 400


def test_names_beyond_ascii_are_drawn_somehow():
    label_set = LabelSet("other", ("Straße", "道路"), ((1, 2, 3), (4, 5, 6)))
    assert colors_of(legend(np.array([[0, 1]]), label_set)) >= {(1, 2, 3), (4, 5, 6)}


def test_legend_of_a_picture_without_classes():
    image = legend(np.full((3, 3), 255), CITYSCAPES)
    assert image.min() < 128, "a line of text says so"


@pytest.mark.parametrize("count", [1, 7, 150])
@pytest.mark.parametrize("height", [18, 37, 144, 999])
def test_legend_has_the_height_asked_for(count, height):
    assert legend(stripes(count), ADE20K, height=height).shape[0] == height


def test_legend_too_low_to_read():
    with pytest.raises(ValueError, match="`height` must be at least 18 pixels to be legible; got 17"):
        legend(stripes(3), CITYSCAPES, height=17)


# --- Pictures


def test_picture_is_the_overlay_with_the_legend_on_its_right():
    labels = stripes(8, height=200)
    image = np.full((*labels.shape, 3), 128, dtype=np.uint8)
    result = picture(image, labels, CITYSCAPES, opacity=0.4)
    np.testing.assert_array_equal(result[:, : labels.shape[1]], overlay(image, labels, CITYSCAPES, opacity=0.4))
    np.testing.assert_array_equal(result[:, labels.shape[1] :], legend(labels, CITYSCAPES, height=200))


def test_picture_of_a_small_image_leaves_room_for_the_legend():
    labels = stripes(8, height=20)
    result = picture(np.zeros((*labels.shape, 3), dtype=np.uint8), labels, CITYSCAPES)
    assert result.shape[0] == 160
    np.testing.assert_array_equal(result[20:, : labels.shape[1]], np.full((140, labels.shape[1], 3), 255))


def test_picture_of_one_pixel():
    assert picture(np.zeros((1, 1, 3)), np.zeros((1, 1), dtype=int), CITYSCAPES).shape[0] == 160


@pytest.mark.parametrize("data_set", ["ade20k_samples", "camvid/val"])
def test_picture_of_a_real_annotation(shared: Path, data_set):
    folder = shared / "data" / data_set
    label_set = load_label_set(data_set.split("/")[0].removesuffix("_samples"))
    photograph = sorted((folder / "images").iterdir())[0]
    annotation = next(folder.glob(f"*/{photograph.stem}.png"))
    with Image.open(annotation) as file:
        raw = np.asarray(file)
    to_train = np.full(256, label_set.ignore_index)
    to_train[list(label_set.raw_to_train)] = list(label_set.raw_to_train.values())
    labels = to_train[raw]
    result = picture(photograph, labels, label_set)
    assert result.shape[0] == labels.shape[0]
    present = {palette_colors(label_set)[share.index] for share in class_shares(labels, label_set)}
    assert len(present) > 3
    assert present <= colors_of(result[:, labels.shape[1] :])
