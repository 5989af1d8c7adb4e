"""The loss against its formulas written out in NumPy."""

from __future__ import annotations

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
