"""What every kind of file says about its model."""

from __future__ import annotations

from keras_segformer.conversion.model_facts import model_facts
from tiny import light_segmenter


def test_files_of_one_network_have_the_same_checksum():
    model = light_segmenter()
    network = model_facts(model)["network"]
    assert model_facts(model)["network"] == network
    weights = model.get_weights()
    weights[0] = weights[0] + 1
    model.set_weights(weights)
    assert model_facts(model)["network"] != network
