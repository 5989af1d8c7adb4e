"""`evaluate`."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.evaluation import BoundaryIoU, ClassMapping, ConfusionMatrix, MeanIoU, PixelAccuracy, evaluate
from keras_segformer.evaluation.evaluate import NUM_WORST
from keras_segformer.predict import segment
from keras_segformer.predict.views import SCALES, label_map, network_views
from tiny import light_segmenter


def counted(pictures, segment) -> ConfusionMatrix:
    matrix = ConfusionMatrix(5)
    for image, mask in pictures.values():
        matrix.update(mask, segment(image))
    return matrix


@pytest.mark.parametrize("size", [None, "aligned", "square", "native", (96, 64)])
def test_whole_pictures_are_segmented_as_segment_does(model, examples, pictures, size):
    evaluation = evaluate(model, examples, size=size)
    expected = counted(pictures, lambda image: segment(model, image, size=size or "aligned"))
    np.testing.assert_array_equal(evaluation.confusion.counts, expected.counts)
    assert evaluation.scores.mean_iou == expected.scores().mean_iou
    assert evaluation.seconds > 0


@pytest.mark.parametrize(
    ("arguments", "view_arguments"),
    [
        ({"flip": True}, {"flip": True}),
        ({"mode": "multiscale"}, {"scales": SCALES, "flip": True}),
        ({"mode": "slide", "size": (1100, 64)}, {"size": (1100, 64), "window": 1024}),
    ],
)
def test_other_views(model, examples, pictures, arguments, view_arguments):
    evaluation = evaluate(model, examples, **arguments)

    def segment(image):
        return label_map(list(network_views(model, image, **view_arguments)), image.shape[:2])

    np.testing.assert_array_equal(evaluation.confusion.counts, counted(pictures, segment).counts)


def test_keras_metrics_agree(model, examples, pictures):
    """On the same logits, at the size of the pictures: the metrics enlarge them as the evaluation does."""
    mean_iou, accuracy = MeanIoU(5), PixelAccuracy()
    for image, mask in pictures.values():
        logits = model.quarter(image[None].astype("float32"), training=False)
        mean_iou.update_state(mask[None], logits)
        accuracy.update_state(mask[None], logits)
    evaluation = evaluate(model, examples, size="native")
    difference = np.abs(mean_iou.confusion_matrix().counts - evaluation.confusion.counts).sum()
    assert difference <= 0.001 * evaluation.confusion.counts.sum()  # ties of rounding
    np.testing.assert_allclose(float(mean_iou.result()), evaluation.scores.mean_iou, atol=1e-3)
    np.testing.assert_allclose(float(accuracy.result()), evaluation.scores.pixel_accuracy, atol=1e-3)


def test_scores_of_single_pictures(model, examples, pictures):
    evaluation = evaluate(model, examples)
    assert [image.name for image in evaluation.images] == list(pictures)
    for score, (image, mask) in zip(evaluation.images, pictures.values(), strict=True):
        matrix = ConfusionMatrix(5)
        matrix.update(mask, segment(model, image))
        assert score.pixel_accuracy == matrix.scores().pixel_accuracy
        assert score.mean_iou == matrix.scores().mean_iou


def test_the_worst_pictures_come_with_their_maps(model, examples, pictures):
    repeated = dataclasses.replace(examples, encoded=examples.encoded.repeat(3), size=9)
    worst = evaluate(model, repeated).worst
    accuracies = [image.score.pixel_accuracy for image in worst]
    assert accuracies == sorted(accuracies)
    assert len(worst) == NUM_WORST
    assert accuracies[-1] <= max(score.pixel_accuracy for score in evaluate(model, examples).images)
    image, mask = pictures[worst[0].score.name]
    np.testing.assert_array_equal(worst[0].image, image)
    np.testing.assert_array_equal(worst[0].labels, mask)
    np.testing.assert_array_equal(worst[0].predictions, segment(model, image))


def test_classes_are_mapped(model, examples, pictures):
    mapping = ClassMapping((1, 0, 5, 3, 3))
    evaluation = evaluate(model, examples, class_mapping=mapping)
    targets = np.array(mapping.targets)
    expected = counted(pictures, lambda image: targets[segment(model, image)])
    np.testing.assert_array_equal(evaluation.confusion.counts, expected.counts)
    with pytest.raises(ValueError, match="2 entries, but the model has 5 classes"):
        evaluate(model, examples, class_mapping=ClassMapping((0, 1)))


def test_pictures_without_labels(model, examples):
    blank = io.BytesIO()
    Image.new("L", (64, 64), 255).save(blank, "PNG")

    def erase(record):
        is_second = record["file_name"] == "picture_1.png"
        return record | {"segmentation_mask": tf.where(is_second, blank.getvalue(), record["segmentation_mask"])}

    evaluation = evaluate(model, dataclasses.replace(examples, encoded=examples.encoded.map(erase)))
    assert evaluation.unlabelled == ("picture_1.png",)
    assert evaluation.to_dict()["unlabelled"] == ["picture_1.png"]


def test_a_split_without_labels_is_refused(model, examples):
    with pytest.raises(InvalidDatasetError, match="None of the 3 pictures has a pixel with a label, all are 255"):
        evaluate(model, dataclasses.replace(examples, mask_values=np.full(256, 255, np.uint8)))


def test_boundary_iou(model, examples, pictures):
    assert evaluate(model, examples).boundary_iou is None
    evaluation = evaluate(model, examples, boundary=True)
    accumulator = BoundaryIoU(5)
    for image, mask in pictures.values():
        accumulator.update(mask, segment(model, image))
    np.testing.assert_array_equal(evaluation.boundary_iou, accumulator.iou())
    np.testing.assert_allclose(evaluation.mean_boundary_iou, np.nanmean(accumulator.iou()))


def test_dictionary_is_json(model, examples):
    evaluation = evaluate(model, examples, flip=True, boundary=True, size=(64, 64))
    empty = np.zeros_like(evaluation.confusion.counts)
    empty[0, 0] = 1
    evaluation.confusion.counts[...] = empty
    content = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert content["scores"]["mean_iou"] == 1
    assert content["scores"]["mean_boundary_iou"] == evaluation.mean_boundary_iou
    assert content["classes"][0]["name"] == "class 0"
    assert content["classes"][0]["pixels"] == 1
    assert content["classes"][1]["iou"] is None
    assert content["confusion"]["counts"] == empty.tolist()
    assert len(content["images"]) == 3
    assert content["settings"] == {
        "mode": "whole",
        "size": [64, 64],
        "input_size": [64, 64],
        "flip": True,
        "antialias": False,
    }


def test_progress_sees_every_picture(model, examples):
    seen = []

    def progress(pictures):
        for picture in pictures:
            seen.append(picture[0])
            yield picture

    evaluation = evaluate(model, examples, progress=progress)
    assert seen == [image.name for image in evaluation.images]


def test_bad_arguments_are_refused(model, examples):
    with pytest.raises(ValueError, match="`mode` must be one of"):
        evaluate(model, examples, mode="tiled")
    with pytest.raises(ValueError, match="`size` must be"):
        evaluate(model, examples, size="large")
    with pytest.raises(ValueError, match="2 classes and the data set 5; give a class mapping"):
        evaluate(light_segmenter(num_classes=1), examples)
