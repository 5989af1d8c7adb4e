"""From logits to labels, of arrays and tensors."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.ops import predicted_labels, with_channel_per_label

pytestmark = pytest.mark.backend

LOGITS = np.random.default_rng(0).choice([-1.5, 0.0, 2.0], (2, 4, 5, 3)).astype("float32")  # with ties


@pytest.fixture(params=["array", "tensor"])
def convert(request):
    """Logits as an array or as a tensor, and the check that the result is of the same kind."""
    if request.param == "array":
        return lambda logits: logits
    return keras.ops.convert_to_tensor


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_labels(convert, channels):
    logits = LOGITS[..., :channels]
    labels = predicted_labels(convert(logits))
    assert isinstance(labels, type(convert(logits)))
    assert keras.backend.standardize_dtype(labels.dtype) == "int32"
    expected = (logits[..., 0] > 0) if channels == 1 else logits.argmax(axis=-1)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(labels), expected)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_channel_per_label_changes_no_label(convert, channels):
    logits = convert(LOGITS[..., :channels])
    full = with_channel_per_label(logits)
    assert isinstance(full, type(logits))
    assert full.shape == (2, 4, 5, max(2, channels))
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(predicted_labels(full)), keras.ops.convert_to_numpy(predicted_labels(logits))
    )


def test_probabilities_of_a_single_logit_are_its_sigmoid():
    logits = LOGITS[..., :1]
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(with_channel_per_label(logits)))
    np.testing.assert_allclose(probabilities[..., 1:], 1 / (1 + np.exp(-logits)), rtol=1e-6)
