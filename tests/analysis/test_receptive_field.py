"""Effective receptive fields, against what theory says of stacks of convolutions."""

from __future__ import annotations

import math
import statistics

import keras
import numpy as np
import pytest

from keras_segformer.analysis import ReceptiveField, effective_receptive_field
from keras_segformer.models import SegFormerConfig, SegFormerNetwork
from keras_segformer.ops import pull_back
from tiny import light_segmenter, tiny_config

LAYERS = 20


def segmenter(backbone: keras.Model) -> SegFormerNetwork:
    return SegFormerNetwork(SegFormerConfig(encoder=None, num_classes=3, decoder_width=8), backbone=backbone)


def pictures(count: int, side: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8))


def averages() -> keras.Model:
    """Averages over 3x3 pixels one behind the other, all features positive, with maps after 5, 10, 15 and 20."""

    def average(weight: float, bias: float) -> keras.layers.Layer:
        kernel, offset = (keras.initializers.Constant(value) for value in (weight, bias))
        return keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=kernel, bias_initializer=offset)

    images = keras.Input((None, None, 3))
    x = average(1 / 27, 9)(images)
    maps = []
    for layer in range(2, LAYERS + 1):
        x = average(1 / 9, 0)(x)
        if layer % (LAYERS // 4) == 0:
            maps.append(x)
    return keras.Model(images, maps)


@pytest.mark.backend
def test_a_stack_of_convolutions_has_its_theoretical_field():
    fields = effective_receptive_field(segmenter(averages()), pictures(1, 96), (96, 96))
    for stage in range(1, 5):
        field, layers = fields[f"stage {stage}"], stage * LAYERS // 4
        assert field.support == (2 * layers + 1, 2 * layers + 1)
        # The n-fold convolution of three equal weights has the variance 2n/3, and tends to a Gaussian.
        deviation = math.sqrt(2 * layers / 3)
        np.testing.assert_allclose(field.deviation, deviation, rtol=0.02)
    widest, deviation = fields["stage 4"], math.sqrt(2 * LAYERS / 3)
    for share in (0.2, 0.5, 0.99):  # a square holds what both its axes hold
        expected = 2 * deviation * statistics.NormalDist().inv_cdf((1 + math.sqrt(share)) / 2)
        assert widest.side(share) == pytest.approx(expected, abs=2)


def test_a_network_without_attention_stays_inside_of_its_support():
    keras.utils.set_random_seed(0)
    # Kernels of 7 and thrice 3, strides of 4 and thrice 2: the field grows by (kernel - 1) times the stride so far.
    expected = [7, 7 + 2 * 4, 7 + 2 * 4 + 2 * 8, 7 + 2 * 4 + 2 * 8 + 2 * 16]
    fields = effective_receptive_field(light_segmenter(), pictures(8, 256), (256, 256))
    for stage, side in enumerate(expected, start=1):
        assert fields[f"stage {stage}"].support == (side, side)
    # The head sees up to two neighbouring positions of every map, which are enlarged bilinearly.
    assert max(fields["head"].support) <= expected[-1] + 32


def test_attention_sees_the_whole_picture():
    keras.utils.set_random_seed(0)
    fields = effective_receptive_field(SegFormerNetwork(tiny_config()), pictures(2, 64), (64, 96))
    assert list(fields) == ["stage 1", "stage 2", "stage 3", "stage 4", "head"]
    assert fields["head"].map.shape == (64, 96)
    assert fields["stage 4"].support == (64, 96)
    assert (fields["stage 1"].centre, fields["stage 4"].centre) == ((33.5, 49.5), (47.5, 47.5))


def test_gradients_by_parts_are_those_of_the_whole_network():
    keras.utils.set_random_seed(0)
    model = SegFormerNetwork(tiny_config())
    [picture] = pictures(1, 64)
    fields = effective_receptive_field(model, [picture], (64, 64))

    def features(inputs):
        maps = model.backbone(inputs[0])
        centres = [each[:, each.shape[1] // 2, each.shape[2] // 2] for each in (*maps, model.decoder.fused(maps))]
        return [keras.ops.sum(keras.ops.relu(each)) for each in centres]

    normalised = model.get_layer("normalization")(picture[None].astype(np.float32))
    _, pull = pull_back(features, [keras.ops.convert_to_tensor(normalised)])
    for index, field in enumerate(fields.values()):
        [gradient] = pull([keras.ops.convert_to_tensor(float(index == each)) for each in range(5)])
        expected = np.maximum(keras.ops.convert_to_numpy(gradient), 0).sum(axis=(0, 3))
        np.testing.assert_allclose(field.map, expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_the_field_of_a_batch_is_the_mean_of_single_fields():
    keras.utils.set_random_seed(0)
    model, images = light_segmenter(), pictures(3, 64)
    together = effective_receptive_field(model, images, (64, 64), batch_size=2)
    alone = [effective_receptive_field(model, [image], (64, 64)) for image in images]
    for name, field in together.items():
        mean = np.mean([each[name].map for each in alone], axis=0)
        np.testing.assert_allclose(field.map, mean, rtol=1e-4, atol=1e-6 * mean.max())


def test_squares():
    field = ReceptiveField(map=np.full((10, 20), 1.0), centre=(4.5, 9.5))
    assert [field.side(share) for share in (0.02, 0.18, 0.5, 1.0)] == [2, 6, 10, 20]
    assert (field.support, field.to_dict()["sides"]["50%"]) == ((10, 20), 10)
    assert field.deviation == pytest.approx((math.sqrt(99 / 12), math.sqrt(399 / 12)))
    off_centre = ReceptiveField(map=np.eye(6)[::-1], centre=(5.0, 0.0))
    assert (off_centre.side(0.1), off_centre.side(1.0)) == (1, 6)  # never larger than the picture


def test_what_cannot_be_measured_is_refused():
    model = light_segmenter()
    with pytest.raises(ValueError, match="no picture to measure"):
        effective_receptive_field(model, [], (64, 64))
    for variable in model.backbone.trainable_variables:
        variable.assign(keras.ops.zeros_like(variable))
    with pytest.raises(ValueError, match="No gradient reaches the pictures from stage 1 and stage 2 and "):
        effective_receptive_field(model, pictures(1, 64), (64, 64))
    model.backbone.layers[1].bias.assign([float("nan")] * 8)
    with pytest.raises(ValueError, match="NaN or infinite"):
        effective_receptive_field(model, pictures(1, 64), (64, 64))
