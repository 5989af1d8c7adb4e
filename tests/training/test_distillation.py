"""Distillation against its formulas, and that the teacher stays out of what it should not touch."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import numpy, random_map
from keras_segformer import LabelSet, License, SegFormer, load_label_set
from keras_segformer.evaluation.class_mapping import ClassMapping
from keras_segformer.training import distill, distillation_losses
from keras_segformer.training.distillation import TeacherSettings, check_classes, joint_license
from keras_segformer.training.distillation_losses import channel_distillation, pixel_distillation
from tiny import light_segmenter

pytestmark = pytest.mark.usefixtures("without_xla")

NUM_CLASSES = 5
RESEARCH = License("Research", "https://example.org/research", non_commercial=True)
OTHER = License("Academic", "https://example.org/academic", non_commercial=True)
FREE = License("Apache-2.0", "https://example.org/apache", non_commercial=False)


def softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(np.float64(logits) - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def segmenter(seed: int = 0, **overrides) -> SegFormer:
    """Without randomness, so that training steps can be compared."""
    keras.utils.set_random_seed(seed)
    return light_segmenter(decoder_dropout=0.0, **overrides)


def examples(num_classes: int = NUM_CLASSES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    masks = rng.integers(0, num_classes, (2, 4, 4)).repeat(16, axis=1).repeat(16, axis=2).astype(np.uint8)
    masks[0, :16] = 255
    return images, masks


def term(student: SegFormer, images: np.ndarray, masks: np.ndarray, logits: np.ndarray, weights=None) -> float:
    """What the teacher adds to the loss of a step."""
    student.compile(metrics=[])
    arguments = {"x": images, "y": masks, "y_pred": keras.ops.convert_to_tensor(logits), "sample_weight": weights}
    both = float(student.compute_loss(**arguments, training=True))
    return both - float(student.compute_loss(**arguments, training=False))


@pytest.mark.backend
class TestFormulas:
    def test_pixel(self):
        teacher, student = random_map(2, 3, 4, 5, seed=1), random_map(2, 3, 4, 5)
        weights = np.random.default_rng(0).uniform(size=(2, 3, 4)).astype("float32")
        wanted, found = softmax(teacher / 2, -1), softmax(student / 2, -1)
        divergence = 4 * (wanted * np.log(wanted / found)).sum(-1)
        result = pixel_distillation(*map(keras.ops.convert_to_tensor, (teacher, student, weights)), 2.0)
        assert float(result) == pytest.approx((weights * divergence).sum() / weights.sum(), rel=1e-4)

    def test_channel(self):
        teacher, student = random_map(2, 3, 4, 5, seed=1), random_map(2, 3, 4, 5)
        weights = np.ones((2, 3, 4), "float32")
        weights[0, 0] = 0
        each = []
        for picture in range(2):
            counted = weights[picture] > 0
            wanted, found = (softmax(logits[picture][counted] / 4, 0) for logits in (teacher, student))
            each.append(16 * (wanted * np.log(wanted / found)).sum(0).mean())
        result = channel_distillation(*map(keras.ops.convert_to_tensor, (teacher, student, weights)), 4.0)
        assert float(result) == pytest.approx(np.mean(each), rel=1e-4)

    @pytest.mark.parametrize("distance", [pixel_distillation, channel_distillation])
    def test_pictures_without_a_label_count_nowhere(self, distance):
        teacher, student = random_map(2, 3, 4, 5, seed=1), random_map(2, 3, 4, 5)
        weights = np.ones((2, 3, 4), "float32")
        weights[1] = 0
        whole, half = (
            float(distance(*map(keras.ops.convert_to_tensor, (teacher[:n], student[:n], weights[:n])))) for n in (2, 1)
        )
        assert whole == pytest.approx(half, rel=1e-5)
        assert float(distance(*map(keras.ops.convert_to_tensor, (teacher, student, 0 * weights)))) == 0.0


@pytest.mark.backend
class TestTerm:
    @pytest.mark.parametrize("kind", ["pixel", "channel"])
    def test_is_zero_for_equal_logits_and_grows_with_weight(self, kind):
        images, masks = examples()
        teacher = segmenter(1)
        same = numpy(teacher.quarter(images, training=False)).astype("float32")
        student = distill(segmenter(2, output_stride=4), teacher, kind=kind)
        assert term(student, images, masks, same) == pytest.approx(0, abs=1e-5)
        once = term(student, images, masks, random_map(2, 16, 16, NUM_CLASSES))
        thrice = term(distill(student, teacher, kind, weight=3.0), images, masks, random_map(2, 16, 16, NUM_CLASSES))
        assert once > 0.01
        assert thrice == pytest.approx(3 * once, rel=1e-3)

    def test_is_of_the_labelled_pixels(self):
        images, masks = examples()
        student = distill(segmenter(2, output_stride=4), segmenter(1))
        logits = random_map(2, 16, 16, NUM_CLASSES)
        elsewhere = logits.copy()
        elsewhere[0, :4] += random_map(4, 16, NUM_CLASSES)  # where the mask is 255
        assert term(student, images, masks, elsewhere) == pytest.approx(term(student, images, masks, logits), rel=1e-4)

    def test_sample_weights_choose_pictures(self):
        images, masks = examples()
        student = distill(segmenter(2, output_stride=4), segmenter(1))
        logits = random_map(2, 16, 16, NUM_CLASSES)
        one = term(student, images[1:], masks[1:], logits[1:])
        assert term(student, images, masks, logits, np.array([0.0, 1.0], "float32")) == pytest.approx(one, rel=1e-4)

    def test_logits_of_the_full_size_are_reduced(self):
        images, masks = examples()
        student, teacher = segmenter(2), segmenter(1)
        full = numpy(teacher(images, training=False)).astype("float32")
        distill(student, teacher)
        other = random_map(2, 64, 64, NUM_CLASSES)
        assert term(student, images, masks, full) < 0.05 * term(student, images, masks, other)

    def test_single_logits(self):
        images, masks = examples(2)
        teacher = segmenter(1, num_classes=1)
        student = distill(segmenter(2, num_classes=1, output_stride=4), teacher)
        wanted = numpy(teacher.quarter(images, training=False))
        found = random_map(2, 16, 16, 1)
        probabilities = [1 / (1 + np.exp(-logits[masks[:, 2::4, 2::4] != 255])) for logits in (wanted, found)]
        p, q = probabilities
        divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
        assert term(student, images, masks, found) == pytest.approx(divergence.mean(), rel=1e-3)

    def test_a_class_mapping_joins_classes_and_leaves_out_the_others(self):
        images, masks = examples(3)
        teacher = segmenter(1)
        # The student's class 2 is not among the teacher's, the teacher's classes 3 and 4 are not among the student's.
        student = distill(
            segmenter(2, num_classes=3, output_stride=4), teacher, class_mapping=ClassMapping((1, 0, 1, 7, -1))
        )
        wanted = softmax(numpy(teacher.quarter(images, training=False)), -1)
        found = random_map(2, 16, 16, 3)
        joined = np.stack([wanted[..., 1], wanted[..., 0] + wanted[..., 2]], axis=-1)
        share = joined.sum(-1)
        weights = share * np.isin(masks[:, 2::4, 2::4], (0, 1))
        p, q = joined / share[..., None], softmax(found[..., :2], -1)
        expected = (weights * (p * np.log(p / q)).sum(-1)).sum() / weights.sum()
        assert term(student, images, masks, found) == pytest.approx(expected, rel=1e-3)


@pytest.mark.backend
def test_a_distilled_student_comes_closer_to_its_teacher_than_another():
    images, masks = examples()
    # Masks that say nothing of what the teacher sees.
    masks[:] = np.random.default_rng(5).permuted(masks, axis=None)
    teacher = segmenter(1)
    teacher.decoder.classifier.kernel.assign(10 * teacher.decoder.classifier.kernel)  # so that it sees differences
    wanted = numpy(teacher.quarter(images, training=False))
    before = [numpy(weight) for weight in teacher.weights]
    errors = {}
    for weight in (None, 20.0):
        student = segmenter(2, output_stride=4)
        if weight:
            distill(student, teacher, weight=weight)
        student.compile(keras.optimizers.Adam(1e-2), metrics=[])
        history = student.fit(images, masks, epochs=20, batch_size=2, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        found = numpy(student.quarter(images, training=False))
        errors[weight] = np.abs(softmax(found, -1) - softmax(wanted, -1)).mean()
    assert errors[20.0] < 0.5 * errors[None]
    # In inference mode, nothing of the teacher moves: neither weights nor batch statistics.
    for weight, value in zip(teacher.weights, before, strict=True):
        np.testing.assert_array_equal(numpy(weight), value)


def test_the_student_alone_is_saved(tmp_path):
    student = segmenter(2)
    names = [weight.path for weight in student.weights]
    distill(student, segmenter(1))
    assert [weight.path for weight in student.weights] == names
    student.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.distillation is None
    for weight, other in zip(loaded.weights, student.weights, strict=True):
        np.testing.assert_array_equal(numpy(weight), numpy(other))


def test_it_ends_with_no_teacher():
    student = distill(distill(segmenter(2), segmenter(1)), None)
    assert student.distillation is None


def test_half_precision():
    images, masks = examples()
    keras.utils.set_random_seed(0)
    student = light_segmenter(output_stride=4, dtype="mixed_bfloat16")
    teacher = light_segmenter(dtype="mixed_bfloat16")
    distill(student, teacher, kind="channel").compile()
    assert np.isfinite(student.fit(images, masks, verbose=0).history["loss"]).all()


@pytest.mark.parametrize("distance", [pixel_distillation, channel_distillation])
def test_the_parts_of_replicas_add_up(distance, monkeypatch):
    teacher, student = random_map(4, 3, 4, 5, seed=1), random_map(4, 3, 4, 5)
    weights = (np.random.default_rng(0).uniform(size=(4, 3, 4)) > 0.3).astype("float32")
    weights[0] = 0  # the halves count differently
    whole = float(distance(*map(keras.ops.convert_to_tensor, (teacher, student, weights)), 2.0))
    total = weights.sum() if distance is pixel_distillation else 3.0
    monkeypatch.setattr(distillation_losses, "global_sum", lambda local: keras.ops.convert_to_tensor(total))
    halves = (slice(0, 2), slice(2, 4))
    parts = [
        float(distance(*(keras.ops.convert_to_tensor(each[half]) for each in (teacher, student, weights)), 2.0))
        for half in halves
    ]
    assert sum(parts) == pytest.approx(whole, rel=1e-5)


class TestRefusals:
    def test_other_classes(self):
        ade20k, camvid = (LabelSet.generic(150), LabelSet.generic(11))
        with pytest.raises(ValueError, match=r"teacher has the 150 classes of 'generic' .* `class_mapping`"):
            check_classes(ade20k, camvid, None)

    def test_the_same_number_of_other_classes(self):
        one, other = (LabelSet("set", names, ((0, 0, 0), (1, 1, 1))) for names in (("cat", "dog"), ("road", "car")))
        with pytest.raises(ValueError, match="say which are the same with `class_mapping`"):
            check_classes(one, other, None)
        check_classes(one, LabelSet.generic(2), None)  # numbered classes have no names that could contradict
        check_classes(one, other, [1, 0])

    def test_a_mapping_of_the_package_is_named(self):
        with pytest.raises(ValueError, match="'ade20k_to_camvid'"):
            check_classes(load_label_set("ade20k"), load_label_set("camvid"), None)
        check_classes(load_label_set("ade20k"), load_label_set("camvid"), "ade20k_to_camvid")

    def test_a_mapping_of_other_classes(self):
        with pytest.raises(ValueError, match="has 2 entries, but the model has 5 classes"):
            distill(segmenter(2, num_classes=2), segmenter(1), class_mapping=[0, 1])

    def test_itself(self):
        model = segmenter()
        with pytest.raises(ValueError, match="own teacher"):
            distill(model, model)

    def test_something_else(self):
        with pytest.raises(ValueError, match="must be a SegFormer or the preset of one; got Sequential"):
            distill(segmenter(), keras.Sequential())

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"kind": "feature"}, "`kind` must be one of pixel, channel; got 'feature'"),
            ({"temperature": 0}, "`temperature` of the teacher must be a number above 0; got 0"),
            ({"weight": float("nan")}, "`weight` of the teacher must be a number above 0; got nan"),
            ({"weight": True}, "`weight` of the teacher must be a number above 0; got True"),
            ({"preset": 3}, "`preset` of the teacher must be"),
            ({"preset": ""}, "`preset` of the teacher must be"),
            ({"class_mapping": 3}, "`class_mapping` must be a list"),
            ({"class_mapping": ["road"]}, "needs one class index"),
        ],
    )
    def test_settings(self, values, message):
        with pytest.raises((TypeError, ValueError), match=message):
            TeacherSettings(**{"preset": "b0_ade20k", **values})


@pytest.mark.parametrize(
    ("own", "teacher", "expected"),
    [
        (None, None, None),
        (None, RESEARCH, RESEARCH),
        (None, FREE, None),
        (FREE, RESEARCH, RESEARCH),
        (RESEARCH, FREE, RESEARCH),
        (RESEARCH, RESEARCH, RESEARCH),
        (FREE, None, FREE),
    ],
)
def test_terms(own, teacher, expected):
    assert joint_license(own, teacher) == expected


def test_two_terms_are_both_named():
    both = joint_license(OTHER, RESEARCH)
    assert both.non_commercial
    assert both.terms.startswith("Academic AND Research (non-commercial use only): https://example.org/academic and ")
    assert joint_license(both, RESEARCH) == both  # a student that is given the same teacher again


def test_the_student_takes_over_the_terms():
    teacher = segmenter(1)
    teacher.license = RESEARCH
    assert distill(segmenter(2), teacher).license == RESEARCH
