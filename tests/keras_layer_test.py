"""Keras' own test of a layer, which its public modules do not hold."""

from __future__ import annotations

from typing import Any

import keras
from keras.src.testing import TestCase  # the only place of `run_layer_test`


def run_layer_test(layer: type[keras.layers.Layer], arguments: dict[str, Any], shapes: Any, trains: bool) -> None:
    """Serialisation, building, symbolic and eager calls, a training step and mixed precision, as Keras tests its own.

    Args:
        layer: The class.
        arguments: Of its constructor.
        shapes: Shape of the input, or a list of shapes.
        trains: Whether to take the training step.
    """
    test = TestCase()
    test.setUp()
    try:
        test.run_layer_test(layer, arguments, input_shape=shapes, expected_num_losses=0, run_training_check=trains)
    finally:
        test.tearDown()
        test.doCleanups()
