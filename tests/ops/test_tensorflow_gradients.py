"""The hand-written gradients against automatic differentiation in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from comparison import assert_close, random_map, randomize
from gradients import gradients_of
from keras_segformer.layers import (
    EfficientSelfAttention,
    LayerNorm,
    LinearMap,
    MixFFN,
    MultiLevelFusion,
    OverlappedPatchEmbedding,
    ResizeLike,
    TransformerBlock,
)
from keras_segformer.ops import _tensorflow_gradients, _xla_kernels

MAP = (2, 9, 12, 8)
FUSED = [(2, 9, 12, 8), (2, 5, 6, 4), (2, 3, 3, 6)]


def plain_linear_map(x, kernel, bias):
    return tf.einsum("bhwc,cd->bhwd", x, kernel[0, 0]) + bias


def plain_layer_norm(x, gamma, beta):
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return (x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta


def plain_batch_norm(x, gamma, beta):
    mean, variance = tf.nn.moments(x, axes=[0, 1, 2])
    return (x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta


def plain_attend(query, key, value):
    return tf.matmul(tf.nn.softmax(tf.matmul(query, key)), value)


def plain_gelu(x):
    return 0.5 * x * (1 + tf.math.erf(x / tf.sqrt(tf.constant(2.0, x.dtype))))


LABELS = np.random.default_rng(5).integers(0, 8, MAP[:3]).astype("int32")

# Ours, the formula, and the shapes of what they take.
FUNCTIONS = {
    "linear_map": (_tensorflow_gradients.linear_map, plain_linear_map, [MAP, (1, 1, 8, 5), (5,)]),
    "layer_norm": (
        lambda *tensors: _tensorflow_gradients.layer_norm(*tensors, 1e-3),
        plain_layer_norm,
        [MAP, (8,), (8,)],
    ),
    "attend": (_tensorflow_gradients.attend, plain_attend, [(2, 3, 20, 4), (2, 3, 4, 6), (2, 3, 6, 4)]),
    "gelu": (_tensorflow_gradients.gelu, plain_gelu, [MAP]),
    "batch_norm": (
        lambda *tensors: _tensorflow_gradients.batch_norm(*tensors, 1e-3)[0],
        plain_batch_norm,
        [MAP, (8,), (8,)],
    ),
    "add": (lambda *maps: _tensorflow_gradients.add(maps), lambda *maps: sum(maps), [MAP] * 3),
    "cross_entropy": (
        lambda logits: _tensorflow_gradients.cross_entropy(tf.constant(LABELS), logits),
        lambda logits: -tf.gather(tf.nn.log_softmax(logits), LABELS, batch_dims=3),
        [MAP],
    ),
}


@pytest.fixture(params=FUNCTIONS)
def case(request):
    ours, formula, shapes = FUNCTIONS[request.param]
    return ours, formula, [random_map(*shape, seed=10 + index) for index, shape in enumerate(shapes)]


def evaluate(function, arrays, dtype="float32", graph=None):
    """Value, gradients, and gradients of the gradients' squares; in a graph of known or unknown sizes, or eagerly."""

    def run(*tensors):
        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as inner:
                inner.watch(tensors)
                value = function(*tensors)
                weights = tf.cast(tf.random.stateless_normal(tf.shape(value), (1, 2)), dtype)
                total = tf.reduce_sum(weights * value * value)
            gradients = inner.gradient(total, tensors)
            squares = sum(tf.reduce_sum(gradient * gradient) for gradient in gradients)
        return value, gradients, outer.gradient(squares, tensors)

    tensors = [tf.constant(array, dtype) for array in arrays]
    if graph is None:
        return run(*tensors)
    known = [x.shape for x in tensors]
    unknown = [(None, None, None, *shape[3:]) if len(shape) == 4 else shape for shape in known]
    return tf.function(run, [tf.TensorSpec(each, dtype) for each in (known if graph == "known" else unknown)])(*tensors)


@pytest.mark.parametrize("graph", [None, "known", "unknown"])
def test_value_and_two_orders_of_gradients(case, graph):
    ours, formula, arrays = case
    for actual, expected in zip(
        tf.nest.flatten(evaluate(ours, arrays, graph=graph)),
        tf.nest.flatten(evaluate(formula, arrays, "float64")),
        strict=True,
    ):
        assert_close(actual, expected, 1e-5)


@pytest.mark.parametrize("graph", [None, "known", "unknown"])
@pytest.mark.parametrize("size", [(18, 48), (27, 12), (9, 60), (12, 24)])  # even, odd and no factors, no multiples
def test_resize(size, graph):
    def run(x, weights):
        with tf.GradientTape() as tape:
            tape.watch(x)
            resized = _tensorflow_gradients.resize_bilinear(x, size)
        return resized, tape.gradient(resized, x, weights)

    x, weights = tf.constant(random_map(*MAP)), tf.constant(random_map(2, *size, 8, seed=1))
    if graph is not None:
        shape = MAP if graph == "known" else (None, None, None, 8)
        run = tf.function(run, [tf.TensorSpec(shape), tf.TensorSpec(weights.shape)])
    rows, columns = (interpolation_matrix(*lengths) for lengths in zip(MAP[1:3], size, strict=True))
    resized, gradient = run(x, weights)
    assert_close(resized, np.einsum("yh,xw,bhwc->byxc", rows, columns, x))
    assert_close(gradient, np.einsum("yh,xw,byxc->bhwc", rows, columns, weights))


def interpolation_matrix(source, target):
    position = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(source)))


def test_resize_like_trains_by_it(monkeypatch):
    calls, original = [], _tensorflow_gradients.resize_bilinear
    monkeypatch.setattr(_tensorflow_gradients, "resize_bilinear", lambda *args: calls.append(1) or original(*args))
    inputs = [tf.constant(random_map(*MAP)), tf.zeros((2, 36, 48, 3))]
    plain = ResizeLike()(inputs)
    assert not calls
    np.testing.assert_array_equal(ResizeLike()(inputs, training=True), plain)
    assert calls


def test_without_xla(case, monkeypatch):
    monkeypatch.setattr(_xla_kernels, "_xla_runs", lambda: False)
    ours, formula, arrays = case
    value, gradients, _ = evaluate(ours, arrays)
    expected_value, expected_gradients, _ = evaluate(formula, arrays, "float64")
    assert_close(value, expected_value)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        assert_close(gradient, expected)


def test_xla_runs_on_a_machine_without_accelerators():
    assert _xla_kernels._xla_runs() == (not tf.config.list_physical_devices("GPU"))


@pytest.mark.parametrize("large", [30.0, -30.0])
def test_gelu_far_from_zero(large):
    x = tf.fill((1, 1, 1, 4), large)
    value, (gradient,), _ = evaluate(_tensorflow_gradients.gelu, [x.numpy()])
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(value, np.maximum(x, 0))


@pytest.mark.parametrize("label", [8, -1])
def test_a_label_without_class_is_refused(label):
    labels = tf.fill((1, 2, 2), label)
    function = tf.function(_tensorflow_gradients.cross_entropy)
    for loss in (_tensorflow_gradients.cross_entropy, function):
        with pytest.raises(tf.errors.InvalidArgumentError, match="not among the 8 classes"):
            loss(labels, tf.zeros((1, 2, 2, 8)))


def test_cross_entropy_of_large_logits():
    logits = tf.constant([[[[1e4, 0.0], [-1e4, 1e4]]]])
    np.testing.assert_allclose(_tensorflow_gradients.cross_entropy(tf.constant([[[1, 1]]]), logits), [[[1e4, 0]]])


LAYERS = {
    "LinearMap": (lambda **options: LinearMap(5, **options), "linear_map"),
    "LayerNorm": (lambda **options: LayerNorm(1e-5, **options), "layer_norm"),
    "OverlappedPatchEmbedding": (lambda **options: OverlappedPatchEmbedding(6, 3, 2, **options), "layer_norm"),
    "EfficientSelfAttention": (lambda **options: EfficientSelfAttention(8, 2, 3, **options), "attend"),
    "MixFFN": (lambda **options: MixFFN(8, 12, **options), "gelu"),
    "MultiLevelFusion": (lambda **options: MultiLevelFusion(7, **options), "add"),
    "TransformerBlock": (lambda **options: TransformerBlock(8, 4, 1, **options), "attend"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_train_by_them(name, monkeypatch):
    make, function = LAYERS[name]
    arrays = [
        random_map(*shape, seed=index) for index, shape in enumerate(FUSED if name == "MultiLevelFusion" else [MAP])
    ]
    gradients, calls = [], []
    original = getattr(_tensorflow_gradients, function)
    monkeypatch.setattr(_tensorflow_gradients, function, lambda *args: calls.append(1) or original(*args))
    for dtype in ("float32", "float64"):
        inputs = [keras.Input(array.shape[1:], dtype=dtype) for array in arrays]
        layer = make(dtype=dtype)
        model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
        randomize(model)
        before = len(calls)
        model(arrays, training=False)
        assert len(calls) == before  # graphs for inference hold plain operations
        weights = random_map(*model.compute_output_shape([array.shape for array in arrays]), seed=9)
        gradients.append(gradients_of(model, [array.astype(dtype) for array in arrays], weights))
        assert (len(calls) > before) == (dtype == "float32")
    largest = max(np.linalg.norm(gradient) for gradient in gradients[1].values())
    for actual, expected in zip(gradients[0].values(), gradients[1].values(), strict=True):
        # The true gradient of the keys' bias is zero: what is found is rounding of the others.
        assert np.linalg.norm(actual - expected) <= 1e-5 * max(np.linalg.norm(expected), 0.1 * largest)


@pytest.mark.parametrize("options", [{"use_bias": False}, {"activation": "relu"}])
def test_linear_maps_without_bias_or_with_activation(options):
    linear, x = LinearMap(5, **options), random_map(*MAP)
    np.testing.assert_array_equal(linear(x, training=True), linear(x))
