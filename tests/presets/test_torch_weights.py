"""State dicts fit exactly, or nothing of them is taken."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.errors import WeightsMismatchError
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets.layouts import OFFICIAL, TRANSFORMERS
from keras_segformer.presets.torch_weights import assign_state_dict, parameters, to_state_dict
from tiny import tiny_config

CLASSIFIER = "decode_head.classifier.weight"


@pytest.fixture(scope="module")
def model():
    return SegFormerNetwork(tiny_config())


@pytest.fixture
def tensors(model):
    return to_state_dict(model, TRANSFORMERS)


def _values(model):
    return {path: keras.ops.convert_to_numpy(variable.value) for path, variable in parameters(model).items()}


def test_a_state_dict_comes_back_bit_for_bit(model, tensors):
    other = SegFormerNetwork(tiny_config())
    assign_state_dict(other, tensors, TRANSFORMERS)
    for path, value in _values(model).items():
        np.testing.assert_array_equal(_values(other)[path], value, err_msg=path)


def test_axes_are_torchs(model, tensors):
    kernels = _values(model)
    np.testing.assert_array_equal(
        tensors["segformer.encoder.patch_embeddings.1.proj.weight"][3, 5],
        kernels["stage2_patch_embedding/projection/kernel"][:, :, 5, 3],
    )
    np.testing.assert_array_equal(
        tensors["segformer.encoder.block.0.0.mlp.dwconv.dwconv.weight"][7, 0],
        kernels["stage1_block1/ffn/depthwise/kernel"][:, :, 7, 0],
    )
    np.testing.assert_array_equal(
        tensors["segformer.encoder.block.0.0.attention.self.query.weight"][2],
        kernels["stage1_block1/attention/query/kernel"][0, 0, :, 2],
    )


def _without(tensors):
    del tensors[CLASSIFIER]


def _with_another(tensors):
    tensors["decode_head.extra.weight"] = np.zeros(3, "float32")


def _of_another_shape(tensors):
    tensors[CLASSIFIER] = tensors[CLASSIFIER][:-1]


def _transposed(tensors):
    tensors["decode_head.linear_fuse.weight"] = tensors["decode_head.linear_fuse.weight"].swapaxes(0, 1)


def _of_another_rank(tensors):
    tensors[CLASSIFIER] = tensors[CLASSIFIER][:, :, 0, 0]


def _not_finite(tensors):
    tensors[CLASSIFIER] = np.full_like(tensors[CLASSIFIER], np.nan)


def _integers(tensors):
    tensors[CLASSIFIER] = tensors[CLASSIFIER].astype("int32")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without, rf"file lacks: {CLASSIFIER}"),
        (_with_another, r"does not use: decode_head\.extra\.weight"),
        (_of_another_shape, r"shape \(4, 24, 1, 1\).*decoder/classifier/kernel"),
        (_transposed, "does not fill"),
        (_of_another_rank, "does not fill"),
        (_not_finite, "not finite"),
        (_integers, "not finite"),
    ],
)
def test_a_misfit_is_named_and_leaves_the_model_alone(tensors, spoil, message):
    model = SegFormerNetwork(tiny_config())
    before = _values(model)
    tensors = {key: array + 1 if array.dtype == "float32" else array for key, array in tensors.items()}
    spoil(tensors)
    with pytest.raises(WeightsMismatchError, match=message):
        assign_state_dict(model, tensors, TRANSFORMERS)
    for path, value in _values(model).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


def test_long_lists_are_cut(model):
    with pytest.raises(WeightsMismatchError, match=r"and \d+ more"):
        assign_state_dict(model, {}, OFFICIAL)


def test_parts_without_a_name_are_refused():
    model = SegFormerNetwork(tiny_config(positional_encoding="learned", positional_resolution=(64, 64)))
    with pytest.raises(WeightsMismatchError, match="save_to_preset"):
        to_state_dict(model, TRANSFORMERS)
