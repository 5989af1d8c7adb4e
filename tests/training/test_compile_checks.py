from __future__ import annotations

import keras
import pytest

from keras_segformer.training.compile_checks import check_takes_logits
from keras_segformer.training.losses import SegmentationLoss


@pytest.mark.parametrize(
    "loss",
    [
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
        keras.losses.sparse_categorical_crossentropy,
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.BinaryCrossentropy(),
        [keras.losses.CategoricalCrossentropy()],
        {"logits": keras.losses.CategoricalFocalCrossentropy()},
    ],
)
def test_losses_of_probabilities_are_refused(loss):
    with pytest.raises(ValueError, match=r"takes probabilities.*from_logits=True, ignore_class=255\)"):
        check_takes_logits(loss, None, 3, 255)


@pytest.mark.parametrize("loss", [keras.losses.Dice(), "dice", keras.losses.Tversky()])
def test_losses_that_know_no_logits_are_refused(loss):
    with pytest.raises(ValueError, match=r"takes probabilities.*dice_weight"):
        check_takes_logits(loss, None, 3, 255)


@pytest.mark.parametrize(
    "loss",
    [
        None,
        SegmentationLoss(),
        "mse",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255),
        keras.losses.BinaryCrossentropy(from_logits=True),
        lambda masks, logits: 0.0,
    ],
)
def test_other_losses_pass(loss):
    check_takes_logits(loss, ["accuracy", keras.metrics.MeanIoU(3, sparse_y_pred=False)], 3, 255)
    check_takes_logits(loss, {"logits": [keras.metrics.BinaryAccuracy(threshold=0.0)]}, 1, 255)


@pytest.mark.parametrize(
    ("metric", "num_classes", "remedy"),
    [
        (keras.metrics.SparseCategoricalCrossentropy(), 3, "from_logits=True"),
        (keras.metrics.MeanIoU(3), 3, "sparse_y_pred=False` and `ignore_class=7"),
        (keras.metrics.IoU(3, [1]), 3, "sparse_y_pred=False"),
        ("accuracy", 1, r"threshold=0.0"),
        (keras.metrics.BinaryAccuracy(), 1, r"threshold=0.0"),
        (keras.metrics.BinaryIoU(), 1, r"threshold=0.0"),
    ],
)
def test_metrics_that_misread_logits_are_refused(metric, num_classes, remedy):
    with pytest.raises(ValueError, match=rf"The metric .*the model gives logits; .*{remedy}"):
        check_takes_logits(None, [[metric], None], num_classes, 7)
