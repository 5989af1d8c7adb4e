from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.mask_rules import MaskRules
from keras_segformer.training.fit_checks import check_callbacks, check_class_weight, check_masks, check_validation_data

NAMES = ("background", "foreground")
RULES = MaskRules(2)


def arrays(values=(0, 1), count: int = 8) -> tuple[np.ndarray, np.ndarray]:
    masks = np.resize(np.uint8(values), (count, 32, 48))
    return np.zeros((count, 32, 48, 3), "uint8"), masks


class Batches(keras.utils.PyDataset):
    def __init__(self, *data: np.ndarray) -> None:
        super().__init__()
        self.data = data

    def __len__(self) -> int:
        return len(self.data[0]) // 2

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return tuple(part[2 * index : 2 * index + 2] for part in self.data)


class Loader:
    """What is asked of PyTorch's `DataLoader`."""

    batch_sampler = object()

    def __init__(self, *data: np.ndarray) -> None:
        self.dataset = list(zip(*data, strict=True))


class CollatingLoader(Loader):
    """A `DataLoader` whose `collate_fn` makes tuples of arrays from other examples."""

    def __init__(self, images: np.ndarray, masks: np.ndarray, is_named: bool = False) -> None:
        self.dataset = [{"image": image, "mask": mask} for image, mask in zip(images, masks, strict=True)]
        self.is_named = is_named

    def collate_fn(self, examples):
        images, masks = (np.stack([example[part] for example in examples]) for part in ("image", "mask"))
        return {"image": images, "mask": masks} if self.is_named else (images, masks)


KINDS = {
    "arrays": lambda *data: data,
    "tensors": lambda *data: tuple(map(tf.constant, data)),
    "dataset": lambda *data: (tf.data.Dataset.from_tensor_slices(data).batch(2), None),
    "py_dataset": lambda *data: (Batches(*data), None),
    "loader": lambda *data: (Loader(*data), None),
    "collating_loader": lambda *data: (CollatingLoader(*data), None),
    "generator": lambda *data: ((pair for pair in zip(*(np.split(part, 4) for part in data), strict=True)), None),
}


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


def check(pair):
    return check_masks(*pair, RULES, NAMES, "The masks")


def test_good_masks_pass(make):
    check(make(*arrays()))


@pytest.mark.parametrize("values", [(0, 2), (0, 128), (0, 1, 254)])
def test_labels_that_are_no_class_are_refused(make, values):
    with pytest.raises(InvalidDatasetError, match=f"The masks hold values from 0 to {max(values)}"):
        check(make(*arrays(values)))


def test_another_aspect_is_refused(make):
    images, masks = arrays()
    with pytest.raises(InvalidDatasetError, match=r"48x32 .* do not fit pictures of 32x48; the masks are transposed"):
        check(make(images, masks.transpose(0, 2, 1)))


def test_only_255_besides_one_class_is_warned_of(make):
    with pytest.warns(UserWarning, match="the only values are 0 and 255, which is ignored"):
        check(make(*arrays((0, 255))))


def test_no_label_at_all():
    with pytest.raises(InvalidDatasetError, match="no pixel has a label"):
        check(arrays((255,)))
    with pytest.warns(UserWarning, match="of the first batches: no pixel has a label"):
        check(KINDS["dataset"](*arrays((255,))))


def test_a_class_that_never_occurs_is_warned_of():
    with pytest.warns(UserWarning, match=r"no pixel has the class 1 \(foreground\)"):
        check(arrays((0,)))
    check(KINDS["dataset"](*arrays((0,))))  # it may occur later


def test_generators_lose_nothing():
    data = arrays()
    generator = check(KINDS["generator"](*data))
    np.testing.assert_array_equal(np.concatenate([masks for _, masks in generator]), data[1])


def test_batches_that_are_no_pairs_are_refused():
    images, masks = arrays()
    named = tf.data.Dataset.from_tensor_slices({"image": images, "mask": masks}).batch(2)
    for data in (named, CollatingLoader(images, masks, is_named=True)):
        with pytest.raises(ValueError, match=r"yields dictionaries of 'image', 'mask'; make pairs .*dataset\.map"):
            check((data, None))
    alone = tf.data.Dataset.from_tensor_slices(images).batch(2)
    for data in (alone, tf.data.Dataset.zip((alone,))):
        with pytest.raises(ValueError, match="pictures without masks; make pairs"):
            check((data, None))


def test_data_sets_without_batches_are_refused():
    images, masks = arrays()
    for each in (masks, masks[..., None]):
        with pytest.raises(ValueError, match=r"single pictures, not batches; batch it, as with `dataset.batch\(8\)`"):
            check((tf.data.Dataset.from_tensor_slices((images, each)), None))


def test_ragged_batches_are_refused():
    signature = tf.TensorSpec((None, None, 3), tf.uint8), tf.TensorSpec((None, None), tf.uint8)
    pairs = [(np.zeros((side, 32, 3), "uint8"), np.zeros((side, 32), "uint8")) for side in (32, 48)]
    dataset = tf.data.Dataset.from_generator(lambda: iter(pairs), output_signature=signature)
    with pytest.raises(ValueError, match=r"ragged, .* to one size, or take batches of one"):
        check((dataset.ragged_batch(2), None))
    check((dataset.batch(1), None))


def test_lists_of_arrays_are_refused():
    images, masks = arrays()
    for pair in ((list(images), masks), (images, list(masks)), ([images], masks)):
        with pytest.raises(ValueError, match=r"are a list of .; pass one array, which `numpy.stack` makes"):
            check(pair)
    with pytest.raises(ValueError, match=r"The sample_weight are a list of 8; .*`numpy.array`"):
        check_masks(images, masks, RULES, NAMES, "The masks", [1.0] * 8)


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="The masks are empty, of the shape"):
        check([part[:0] for part in arrays()])


def test_pictures_with_channels_first_are_refused(make):
    images, masks = arrays()
    with pytest.raises(ValueError, match=r"channels first; .*`numpy.transpose\(images, \(0, 2, 3, 1\)\)`"):
        check(make(images.transpose(0, 3, 1, 2), masks))


def test_bytes_on_another_scale_are_warned_of(make):
    images, masks = arrays()
    with pytest.warns(UserWarning, match=r"scale 0\.\.255, but have values from 0 to 1"):
        check(make(np.resize(np.uint8([0, 1]), images.shape), masks))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (-2, 200), (0, 256)])
def test_pictures_on_another_scale_are_warned_of(make, low, high):
    images, masks = arrays()
    images = np.resize(np.float32([low, high]), images.shape)
    with pytest.warns(UserWarning, match=rf"scale 0\.\.255, but have values from {low} to {high}"):
        check(make(images, masks))


def test_pictures_of_16_bits_are_warned_of(make):
    images, masks = arrays()
    with pytest.warns(UserWarning, match=r"scale 0\.\.255, but have values from 0 to 65535"):
        check(make(np.resize(np.uint16([0, 65535]), images.shape), masks))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pictures_that_would_make_the_loss_nan_are_refused(make, value):
    images, masks = arrays()
    images = images.astype("float32")
    images[1, 5, 7, 0] = value
    with pytest.raises(InvalidDatasetError, match="The pictures hold NaN or infinite values"):
        check(make(images, masks))


@pytest.mark.parametrize("high", [0, 2, 255])
def test_floats_on_the_right_scale_pass(make, high):
    images, masks = arrays()
    check(make(np.resize(np.float32([0, high]), images.shape), masks))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.full(8, np.nan), "finite numbers from 0 on; got values from nan"),
        (np.linspace(-1, 1, 8), "finite numbers from 0 on; got values from -1 to 1"),
        (np.ones((8, 16, 24)), r"per pixel \(8, 32, 48\); got the shape \(8, 16, 24\)"),
        (np.ones((8, 2)), r"a number per picture \(8,\)"),
        (np.zeros(8), "is 0 throughout"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        check_masks(*arrays(), RULES, NAMES, "The masks", weights)


@pytest.mark.parametrize("make", [KINDS["dataset"], KINDS["py_dataset"], KINDS["generator"]])
def test_weights_of_data_sets_are_looked_at(make):
    with pytest.raises(ValueError, match="finite numbers from 0 on; got values from -1 to -1"):
        check(make(*arrays(), -np.ones(8)))


@pytest.mark.parametrize("shape", [(8,), (8, 1), (8, 32, 48), (8, 32, 48, 1)])
def test_weights_of_pictures_and_pixels_pass(shape):
    check_masks(*arrays(), RULES, NAMES, "The masks", np.ones(shape))


@pytest.mark.parametrize("make", [np.asarray, tf.constant])
def test_pictures_without_masks_are_refused(make):
    with pytest.raises(ValueError, match="There are pictures, but not their masks"):
        check((make(arrays()[0]), None))


def test_class_weight_names_the_loss():
    check_class_weight(None, 3)
    with pytest.raises(ValueError, match=r"SegmentationLoss\(class_weights=\[1.0, 5.0, 1.0\]\)"):
        check_class_weight({1: 5}, 3)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_validation_needs_masks(count):
    for good in (None, arrays(), [*arrays()], (*arrays(), np.ones(8)), KINDS["dataset"](*arrays())[0]):
        check_validation_data(good)
    with pytest.raises(ValueError, match=rf"has {count} part\(s\), and needs .*; give `\(images, masks\)`"):
        check_validation_data((arrays()[0],) * count)


@pytest.mark.parametrize(
    "callback", [keras.callbacks.ReduceLROnPlateau(), keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)]
)
def test_callbacks_that_set_a_scheduled_rate_are_refused(callback):
    for given in (callback, [callback], keras.callbacks.CallbackList([callback])):
        check_callbacks(given, schedule=None)
        with pytest.raises(ValueError, match=f"{type(callback).__name__} .*learning_rate=6e-5"):
            check_callbacks(given, schedule=object())
    check_callbacks(None, schedule=object())


def test_checkpoints_that_would_keep_the_worst_epoch():
    """Keras 3.10 takes less for better in every metric whose name it does not know."""
    checkpoint = keras.callbacks.ModelCheckpoint("best.keras", "val_mean_iou", save_best_only=True)
    checkpoint.monitor_op = np.less
    with pytest.raises(ValueError, match="lowest val_mean_iou; pass mode='max'"):
        check_callbacks([checkpoint], schedule=None)
    check_callbacks([keras.callbacks.ModelCheckpoint("x.keras", "val_mean_iou", save_best_only=True, mode="max")], None)
