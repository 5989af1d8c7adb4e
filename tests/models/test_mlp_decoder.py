from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from gradients import gradients_of
from keras_segformer.models import MLPDecoder
from literal_decoder import LiteralFusion
from reference import bilinear_resize

pytestmark = pytest.mark.backend

CHANNELS = (4, 6, 3, 5)
# The maps of an image of 65x97 pixels.
SIZES = ((17, 25), (9, 13), (5, 7), (3, 4))
MAPS = [random_map(2, *size, channels) for size, channels in zip(SIZES, CHANNELS, strict=True)]


class LiteralDecoder(keras.Model):
    """The decoder as the paper writes it: `classifier(relu(batch_norm(fusion)))`."""

    def __init__(self, ours: MLPDecoder) -> None:
        super().__init__()
        self.fusion = LiteralFusion(ours.width)
        self.batch_norm = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        self.classifier = keras.layers.Conv2D(ours.num_classes, 1)

    def call(self, inputs, training=None):
        return self.classifier(keras.ops.relu(self.batch_norm(self.fusion(inputs), training=training)))

    def pairs(self, ours: MLPDecoder):
        """The variables of our decoder, each with the one that it corresponds to here."""
        return [
            *self.fusion.pairs(ours.fusion),
            *zip(ours.batch_norm.weights, self.batch_norm.weights, strict=True),
            *zip(ours.classifier.weights, self.classifier.weights, strict=True),
        ]


def our_model(**arguments) -> tuple[MLPDecoder, keras.Model]:
    decoder = MLPDecoder(num_classes=5, width=8, dropout=0.0, **arguments)
    inputs = [keras.Input((None, None, channels)) for channels in CHANNELS]
    model = keras.Model(inputs, decoder(inputs))
    randomize(decoder)
    return decoder, model


def literal_copy(ours: MLPDecoder, maps: list[np.ndarray]) -> LiteralDecoder:
    literal = LiteralDecoder(ours)
    literal(maps)
    for variable, literal_variable in literal.pairs(ours):
        literal_variable.assign(keras.ops.convert_to_numpy(variable).reshape(literal_variable.shape))
    return literal


def test_infers_and_trains_like_the_literal_form():
    decoder, model = our_model()
    literal = literal_copy(decoder, MAPS)
    assert model.count_params() == literal.count_params()
    assert_close(model.predict_on_batch(MAPS), literal(MAPS))

    weights = random_map(2, *SIZES[0], 5, seed=9)
    gradients, expected = gradients_of(model, MAPS, weights), gradients_of(literal, MAPS, weights)
    largest = max(np.linalg.norm(gradient) for gradient in expected.values())
    for variable, literal_variable in literal.pairs(decoder):
        if variable.trainable:
            ours, theirs = gradients[variable.path], expected[literal_variable.path].reshape(variable.shape)
            # Not relative to each gradient: batch norm makes those of the biases before it vanish.
            assert np.linalg.norm(ours - theirs) <= 1e-5 * largest, variable.path
        else:
            # The step has moved the averages of batch norm.
            assert_close(variable, literal_variable, what=variable.path)
    assert_close(model.predict_on_batch(MAPS), literal(MAPS))


def test_averages_have_the_momentum_of_torch():
    decoder, model = our_model()
    decoder.batch_norm.moving_mean.assign(np.zeros(8))
    decoder.batch_norm.moving_variance.assign(np.ones(8))
    fused = numpy(decoder.fusion(MAPS))
    gradients_of(model, MAPS, random_map(2, *SIZES[0], 5))
    assert_close(decoder.batch_norm.moving_mean, 0.1 * fused.mean(axis=(0, 1, 2)))
    assert_close(decoder.batch_norm.moving_variance, 0.9 + 0.1 * fused.var(axis=(0, 1, 2)))


@pytest.mark.parametrize("stages", [(2, 4), (1, 3), (4,)])
def test_a_subset_of_the_stages(stages):
    decoder, model = our_model(stages=stages)
    maps = [MAPS[stage - 1] for stage in stages]
    logits = numpy(literal_copy(decoder, maps)(maps))
    assert_close(model.predict_on_batch(MAPS), bilinear_resize(logits, SIZES[0]))


def test_dropout_drops_whole_channels():
    decoder = MLPDecoder(num_classes=5, width=64, dropout=0.5)
    inputs = [np.ones((1, 4, 4, 3), "float32")] * 4
    decoder.build([x.shape for x in inputs])
    dropped = numpy(decoder.dropout(np.ones((1, 4, 4, 64), "float32"), training=True))
    assert (dropped == dropped[:, :1, :1]).all()
    np.testing.assert_allclose(np.unique(dropped), [0, 2])
    assert np.ptp(numpy(decoder(inputs, training=False)) - numpy(decoder(inputs))) == 0


@pytest.mark.parametrize("maps", [MAPS[:3], [*MAPS, MAPS[0]], MAPS[0]], ids=["three", "five", "no list"])
def test_another_number_of_maps_is_refused(maps):
    with pytest.raises(ValueError, match="list of 4 feature maps, finest first"):
        MLPDecoder(num_classes=5)(maps)
