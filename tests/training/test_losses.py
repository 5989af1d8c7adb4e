"""The loss against its formulas written out in NumPy."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest

from comparison import numpy, random_map
from keras_segformer.training.losses import SegmentationLoss

pytestmark = pytest.mark.backend

NUM_CLASSES = 4
SIZE = (8, 12)


@pytest.fixture
def logits():
    return 3 * random_map(2, *SIZE, NUM_CLASSES)


@pytest.fixture
def masks():
    masks = np.random.default_rng(0).integers(0, NUM_CLASSES - 1, (2, *SIZE)).astype("uint8")  # the last never occurs
    masks[0, :3] = 255
    masks[1, 5, 2:] = 255
    return masks


def pixel_losses(masks, logits):
    """-log softmax of the labelled pixels, in their order, and their labels."""
    labelled = masks != 255
    scores, labels = np.float64(logits[labelled]), masks[labelled]
    scores -= scores.max(-1, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    return -log_probabilities[np.arange(len(labels)), labels], labels


def dice(masks, probabilities):
    """1 - 2 Σ p y / (Σ p² + Σ y²) of every class that occurs, averaged."""
    labelled = masks != 255
    truth = np.eye(probabilities.shape[-1])[masks[labelled]]
    guess = probabilities[labelled]
    scores = 2 * (guess * truth).sum(0) / ((guess**2).sum(0) + (truth**2).sum(0))
    return np.mean(1 - scores[truth.sum(0) > 0])


def softmax(logits):
    powers = np.exp(np.float64(logits))
    return powers / powers.sum(-1, keepdims=True)


def test_cross_entropy_of_the_labelled_pixels(masks, logits):
    expected = pixel_losses(masks, logits)[0].mean()
    assert float(SegmentationLoss()(masks, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32"])
def test_masks_of_any_type_and_with_a_channel(masks, logits, dtype):
    expected = pixel_losses(masks, logits)[0].mean()
    assert float(SegmentationLoss()(masks.astype(dtype)[..., None], logits)) == pytest.approx(expected, rel=1e-5)


def test_another_ignored_value(masks, logits):
    zero_based = pixel_losses(masks, logits)[0].mean()
    moved = np.where(masks == 255, 99, masks)
    assert float(SegmentationLoss(ignore_class=99)(moved, logits)) == pytest.approx(zero_based, rel=1e-5)


def test_small_logits_are_enlarged(masks):
    small = random_map(2, SIZE[0] // 4, SIZE[1] // 4, NUM_CLASSES)
    large = keras.ops.image.resize(small, SIZE, interpolation="bilinear")
    assert float(SegmentationLoss()(masks, small)) == pytest.approx(float(SegmentationLoss()(masks, large)), rel=1e-6)


def test_class_weights(masks, logits):
    weights = [0.5, 2.0, 3.0, 0.0]
    losses, labels = pixel_losses(masks, logits)
    loss = SegmentationLoss(class_weights=weights)
    assert float(loss(masks, logits)) == pytest.approx((losses * np.take(weights, labels)).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_weights": {0: 1.0, 1: 5.0}}, "a list of a number for each class, in the order of the classes; got {0"),
        ({"class_weights": "auto"}, "a list of a number for each class"),
        ({"class_weights": [1.0, float("nan")]}, "`class_weights` must be finite numbers, one for each class; got"),
        ({"class_weights": [float("inf"), 1.0]}, "`class_weights` must be finite numbers"),
        ({"class_weights": [0, 0]}, "must not all be zero; got [0.0, 0.0]: give the classes to learn one above 0"),
        ({"dice_weight": float("nan")}, "`dice_weight` must be a finite number; got nan"),
    ],
)
def test_weights_that_are_none(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SegmentationLoss(**options)


def test_dice_alone(masks, logits):
    loss = SegmentationLoss(class_weights=[0.0] * NUM_CLASSES, dice_weight=0.5)
    assert float(loss(masks, logits)) == pytest.approx(0.5 * dice(masks, softmax(logits)), rel=1e-5)


@pytest.mark.parametrize(("threshold", "min_kept"), [(0.7, 0.05), (0.1, 0.5), (1e-6, 0.25), (1.0, 0.1)])
def test_hard_examples(masks, logits, threshold, min_kept):
    losses, _ = pixel_losses(masks, logits)
    hardest = np.sort(losses)[::-1][int(min_kept * losses.size) - 1]
    expected = losses[(losses > -np.log(threshold)) | (losses >= hardest)].mean()
    loss = SegmentationLoss(hard_example_threshold=threshold, min_kept=min_kept)
    assert float(loss(masks, logits)) == pytest.approx(expected, rel=1e-5)


def test_dice(masks, logits):
    expected = pixel_losses(masks, logits)[0].mean() + 0.5 * dice(masks, softmax(logits))
    assert float(SegmentationLoss(dice_weight=0.5)(masks, logits)) == pytest.approx(expected, rel=1e-5)


class TestBinary:
    @pytest.fixture
    def masks(self, masks):
        return np.where(masks == 255, 255, masks % 2).astype("uint8")

    @pytest.fixture
    def two_logits(self, logits):
        """The same model as one of two classes: the first logit is 0."""
        return np.concatenate([np.zeros_like(logits[..., :1]), logits[..., :1]], -1)

    @pytest.mark.parametrize(
        "options", [{}, {"class_weights": [0.5, 3.0]}, {"dice_weight": 1.0}, {"hard_example_threshold": 0.4}]
    )
    def test_one_logit_is_two_classes(self, masks, logits, two_logits, options):
        loss = SegmentationLoss(**options)
        assert float(loss(masks, logits[..., :1])) == pytest.approx(float(loss(masks, two_logits)), rel=1e-5)


@pytest.mark.parametrize("options", [{}, {"hard_example_threshold": 0.5, "dice_weight": 1.0}])
def test_without_any_label(logits, options):
    masks = np.full((2, *SIZE), 255, "uint8")
    assert float(SegmentationLoss(**options)(masks, logits)) == 0


def test_sample_weights(masks, logits):
    weights = np.float32([[1, 0], [0, 1]])[..., None, None]  # (2, B, 1, 1)
    one_by_one = [float(SegmentationLoss()(masks, logits, sample_weight=weight)) for weight in weights]
    assert sum(one_by_one) == pytest.approx(float(SegmentationLoss()(masks, logits)), rel=1e-5)


def test_sample_weights_of_pictures_and_of_pixels(masks, logits):
    loss = SegmentationLoss()
    per_picture = np.float32([0.5, 3.0])
    expected = float(loss(masks, logits, sample_weight=per_picture[:, None, None]))
    for shape in ((-1,), (-1, 1)):
        weights = per_picture.reshape(shape)
        assert float(loss(masks, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-6)
    per_pixel = np.broadcast_to(per_picture[:, None, None], masks.shape)
    assert float(loss(masks, logits, sample_weight=per_pixel)) == pytest.approx(expected, rel=1e-6)


class TestWrongMasks:
    @pytest.mark.parametrize("values", [(0, 2), (0, 128), (-1, 1), (0, 254 / 255), (0, 1.9)])
    def test_of_one_logit_are_refused(self, values):
        masks = np.resize(np.float32(values), (1, 4, 4))
        with pytest.raises(ValueError, match="The masks hold"):
            SegmentationLoss()(masks, np.zeros((1, 4, 4, 1), "float32"))

    def test_of_many_logits_are_refused(self, masks, logits):
        with pytest.raises(ValueError, match="from 0 to 4, but the classes are 0 to 3"):
            SegmentationLoss()(np.where(masks == 2, 4, masks), logits)

    def test_of_another_shape_are_refused(self, masks, logits):
        with pytest.raises(ValueError, match=r"12x8 .* do not fit logits of 8x12; the masks are transposed"):
            SegmentationLoss()(masks.transpose(0, 2, 1), logits)
        with pytest.raises(ValueError, match="one-hot masks"):
            SegmentationLoss()(np.zeros((2, *SIZE, NUM_CLASSES)), logits)

    def test_in_xla_make_the_loss_nan_and_leave_the_weights(self):
        """XLA and JAX know no assertions."""
        inputs = keras.Input((4, 4, 1))
        scale = keras.layers.Dense(3, kernel_initializer="ones")
        model = keras.Model(inputs, scale(inputs))
        model.compile("sgd", SegmentationLoss(), jit_compile=True)
        masks = np.zeros((1, 4, 4))
        masks[0, 0, 0] = 9
        assert np.isnan(float(model.train_on_batch(np.ones((1, 4, 4, 1)), masks)))
        assert np.isfinite(numpy(scale.kernel)).all()

    def test_in_a_graph_of_tensorflow_are_an_error(self, masks, logits):
        if keras.backend.backend() != "tensorflow":
            pytest.skip("only TensorFlow has assertions in graphs")
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match="labels that are no class: the classes are 0 to 3"):
            tf.function(SegmentationLoss())(np.where(masks == 2, 4, masks), logits)


def test_half_precision_logits_are_summed_in_float32(masks, logits):
    half = keras.ops.cast(logits, "bfloat16")
    expected = SegmentationLoss()(masks, numpy(keras.ops.cast(half, "float32")).astype("float32"))
    assert float(SegmentationLoss()(masks, half)) == pytest.approx(float(expected), rel=1e-6)


def test_is_serializable(masks, logits):
    loss = SegmentationLoss(
        ignore_class=0, class_weights=[1, 2, 3, 4], hard_example_threshold=0.5, min_kept=0.2, dice_weight=2.0
    )
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    moved = np.where(masks == 255, 0, masks)
    assert float(again(moved, logits)) == float(loss(moved, logits))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hard_example_threshold": 0}, "probability above 0; got 0"),
        ({"hard_example_threshold": 1.5}, "got 1.5"),
        ({"min_kept": 0}, "share above 0 and at most 1"),
        ({"class_weights": [1, -1]}, "must not be negative"),
        ({"dice_weight": -1}, "must not be negative"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        SegmentationLoss(**options)


def test_class_weights_of_other_classes(masks, logits):
    with pytest.raises(ValueError, match="`class_weights` has 3 numbers, the model 4 classes"):
        SegmentationLoss(class_weights=[1, 2, 3])(masks, logits)
