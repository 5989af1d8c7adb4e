"""What Keras may ask of any layer or model, asked of every one of ours."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import keras_segformer.layers
import keras_segformer.models
from comparison import outputs_of
from gradients import gradients_of
from keras_layer_test import run_layer_test
from keras_segformer import SegFormer
from keras_segformer.evaluation import FrequencyWeightedIoU, MeanAccuracy, MeanBoundaryIoU, MeanIoU, PixelAccuracy
from keras_segformer.layers import (
    BatchNorm,
    ChannelDropout,
    EfficientSelfAttention,
    LayerNorm,
    LinearMap,
    MixFFN,
    MultiLevelFusion,
    OverlappedPatchEmbedding,
    PositionalEmbedding,
    ResizeLike,
    StochasticDepth,
    TransformerBlock,
)
from keras_segformer.models import MixTransformer, MLPDecoder, SegFormerNetwork
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.schedule import WarmupPolynomial
from tiny import tiny_config

Size = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Citizen:
    """A layer or model, and what to feed it.

    Args:
        make: Makes it, with random weights and nothing random in a call.
        channels: Channels of the input, or of several inputs, each half as high and wide as the one before.
        sizes: Two sizes of the first input in pixels.
        insensitive: Variables, by the end of their path, that the output does not depend on.
    """

    make: Callable[[], keras.layers.Layer]
    channels: int | tuple[int, ...] = 16
    sizes: tuple[Size, Size] = ((9, 12), (16, 11))
    insensitive: tuple[str, ...] = ()

    def shapes(self, size: tuple[int | None, int | None], batch: int | None = 2) -> Any:
        """Shape of the input, or shapes of the inputs."""
        if isinstance(self.channels, int):
            return (batch, *size, self.channels)
        halved = [[length and -(-length // 2**index) for length in size] for index in range(len(self.channels))]
        return [(batch, *each, channels) for each, channels in zip(halved, self.channels, strict=True)]

    def inputs(self, size: Size, scale: float = 1.0) -> Any:
        """Random input or inputs of a size in pixels."""
        generator = np.random.default_rng(7)
        return per_shape(self.shapes(size), lambda shape: generator.normal(0, scale, shape).astype("float32"))

    def model(self, layer: keras.layers.Layer | None = None) -> keras.Model:
        """A functional model around a layer, by default a new one, which takes input of any size."""
        inputs = per_shape(self.shapes((None, None)), lambda shape: keras.Input(shape[1:]))
        return keras.Model(inputs, (layer or self.make())(inputs))


def per_shape(shapes: Any, make: Callable[[tuple[int, ...]], Any]) -> Any:
    """`make` of one shape, or of every shape in a list."""
    return [make(shape) for shape in shapes] if isinstance(shapes, list) else make(shapes)


# A constant added to every key changes no softmax.
KEY_BIAS = ("key/bias",)
# Batch norm takes out every constant before it: the fusion's biases, and what the last norm of the encoder adds.
BEFORE_BATCH_NORM = (*(f"linear{index}_bias" for index in range(4)), "stage4_norm/beta")
FEATURES = {"channels": (8, 4, 6, 3), "insensitive": BEFORE_BATCH_NORM}
IMAGES = {"channels": 3, "sizes": ((33, 66), (64, 32))}
CONFIG = tiny_config(drop_path_rate=0, decoder_dropout=0)
LEARNED = CONFIG.replace(positional_encoding="learned", positional_resolution=(40, 50))

CITIZENS = {
    "BatchNorm": Citizen(BatchNorm),
    "ChannelDropout": Citizen(lambda: ChannelDropout(0.3)),
    "EfficientSelfAttention": Citizen(lambda: EfficientSelfAttention(16, 2, sr_ratio=3), insensitive=KEY_BIAS),
    "EfficientSelfAttention, unreduced": Citizen(lambda: EfficientSelfAttention(16, 4, 1), insensitive=KEY_BIAS),
    "LayerNorm": Citizen(lambda: LayerNorm(1e-5)),
    "LinearMap": Citizen(lambda: LinearMap(5)),
    "MixFFN": Citizen(lambda: MixFFN(16, 24)),
    "MixFFN, no convolution": Citizen(lambda: MixFFN(16, 24, convolution=False)),
    "MultiLevelFusion": Citizen(lambda: MultiLevelFusion(12), channels=(8, 4, 6)),
    "OverlappedPatchEmbedding": Citizen(lambda: OverlappedPatchEmbedding(12, patch_size=7, stride=4)),
    "PositionalEmbedding": Citizen(lambda: PositionalEmbedding((9, 12))),
    "ResizeLike": Citizen(lambda: ResizeLike(), channels=(8, 3)),
    "StochasticDepth": Citizen(lambda: StochasticDepth(0.3)),
    "TransformerBlock": Citizen(lambda: TransformerBlock(16, 2, 4, mlp_ratio=2), insensitive=KEY_BIAS),
    "MLPDecoder": Citizen(lambda: MLPDecoder(5, 12, dropout=0.0), **FEATURES),
    "MLPDecoder, two stages": Citizen(lambda: MLPDecoder(5, 12, (2, 4), dropout=0.0), **FEATURES),
    "MixTransformer": Citizen(lambda: MixTransformer(LEARNED.encoder), **IMAGES, insensitive=KEY_BIAS),
    "SegFormerNetwork": Citizen(lambda: SegFormerNetwork(CONFIG), **IMAGES, insensitive=KEY_BIAS + BEFORE_BATCH_NORM),
}


@pytest.fixture(params=CITIZENS)
def citizen(request: pytest.FixtureRequest) -> Citizen:
    keras.utils.set_random_seed(3)
    return CITIZENS[request.param]


# For what takes long: the encoder is a part of the network.
without_encoder = pytest.mark.parametrize(
    "citizen", [name for name in CITIZENS if name != "MixTransformer"], indirect=True
)


def numpy_outputs(outputs: Any) -> list[np.ndarray]:
    """One output or several, as float32."""
    return [ops.convert_to_numpy(ops.cast(output, "float32")) for output in keras.tree.flatten(outputs)]


def shapes_of(outputs: Any) -> list[tuple[int | None, ...]]:
    return [tuple(output.shape) for output in keras.tree.flatten(outputs)]


def assert_equal_outputs(actual: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Every output within a relative Frobenius norm of the other."""
    for ours, theirs in zip(numpy_outputs(actual), numpy_outputs(expected), strict=True):
        assert ours.shape == theirs.shape
        assert np.linalg.norm(ours - theirs) <= tolerance * np.linalg.norm(theirs)


def test_table_is_complete():
    layers = set(keras_segformer.layers.__all__)
    models = {
        name
        for name in keras_segformer.models.__all__
        if isinstance(getattr(keras_segformer.models, name), type)
        and issubclass(getattr(keras_segformer.models, name), keras.layers.Layer)
    }
    assert {name.split(",")[0] for name in CITIZENS} == layers | models


def test_config_round_trip(citizen):
    layer = citizen.make()
    saved = json.dumps(keras.saving.serialize_keras_object(layer))
    clone = keras.saving.deserialize_keras_object(json.loads(saved))
    assert type(clone) is type(layer)
    assert json.dumps(keras.saving.serialize_keras_object(clone)) == saved
    citizen.model(layer), citizen.model(clone)
    assert [(each.path, each.shape) for each in clone.weights] == [(each.path, each.shape) for each in layer.weights]


def arguments_of(layer: keras.layers.Layer) -> dict[str, Any]:
    """The constructor's arguments that make another layer like this."""
    config = layer.get_config()
    config.pop("trainable_flags", None)  # for `from_config`
    return config


def test_unknown_keywords_are_refused(citizen):
    layer = citizen.make()
    type(layer)(**arguments_of(layer))
    with pytest.raises((TypeError, ValueError), match="nonsense"):
        type(layer)(**arguments_of(layer), nonsense=1)


KINDS = [globals()[name] for name in sorted({name.split(",")[0] for name in CITIZENS})]
OTHERS = [
    SegFormer,
    SegmentationLoss,
    GroupedAdamW,
    WarmupPolynomial,
    MeanIoU,
    MeanAccuracy,
    FrequencyWeightedIoU,
    MeanBoundaryIoU,
    PixelAccuracy,
]


DOCUMENTED = [kind for kind in KINDS + OTHERS if kind is not BatchNorm]  # its arguments are those of Keras' own


@pytest.mark.parametrize("kind", DOCUMENTED, ids=lambda kind: kind.__name__)
def test_docstrings_have_every_argument(kind):
    documented = inspect.getdoc(kind)
    for name, parameter in inspect.signature(kind).parameters.items():
        if parameter.kind != parameter.VAR_POSITIONAL and name != "name":
            stars = "**" if parameter.kind == parameter.VAR_KEYWORD else ""
            assert f"    {stars}{name}: " in documented, name


def test_frozen_comes_back(citizen):
    layer = citizen.make()
    model = citizen.model(layer)
    layer.trainable = False
    copy = type(layer).from_config(layer.get_config())
    # Keras' dropout, which has nothing to train, has no flag in its configuration.
    assert not copy.trainable or not layer.weights
    citizen.model(copy)
    assert copy.trainable_variables == []
    if type(layer).__name__ in keras_segformer.models.__all__:
        # Else Keras gives the layers inside of a layer flags of their own.
        assert keras.models.clone_model(model).trainable_variables == []


def test_images_of_other_formats_are_refused_or_do_not_matter(citizen):
    layer, inputs = citizen.make(), citizen.inputs(citizen.sizes[0])
    expected = layer(inputs)
    keras.config.set_image_data_format("channels_first")
    try:
        other = type(layer)(**arguments_of(layer))
        other(inputs)
        other.set_weights(layer.get_weights())
        assert_equal_outputs(other(inputs), expected)
    except ValueError as error:
        assert 'set_image_data_format("channels_last")' in str(error)  # noqa: PT017
    finally:
        keras.config.set_image_data_format("channels_last")


MODELS = ("MixTransformer", "SegFormerNetwork")


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")  # by Keras to itself
@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize("citizen", [name for name in CITIZENS if name not in MODELS], indirect=True)
def test_as_keras_tests_its_own(citizen):
    layer = citizen.make()
    of_every_layer = ("name", "dtype", "trainable")
    arguments = {name: value for name, value in arguments_of(layer).items() if name not in of_every_layer}
    citizen.model(layer)
    shapes = citizen.shapes(citizen.sizes[0])
    # Its training step takes a single input, and warns where there is nothing to train.
    run_layer_test(type(layer), arguments, shapes, trains=bool(layer.weights) and not isinstance(shapes, list))


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_save_and_load(citizen, tmp_path, suffix):
    model, path = citizen.model(), tmp_path / f"model{suffix}"
    if suffix == ".keras":
        model.save(path)
        loaded = keras.saving.load_model(path)
    else:
        model.save_weights(path)
        loaded = keras.models.clone_model(model)
        loaded.load_weights(path)
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
    inputs = citizen.inputs(citizen.sizes[0])
    assert_equal_outputs(loaded(inputs), model(inputs), tolerance=0)


def test_one_graph_takes_every_size_and_agrees_with_the_eager_call(citizen):
    layer = citizen.make()
    model = citizen.model(layer)
    unknown = keras.tree.flatten(layer.compute_output_shape(citizen.shapes((None, None), batch=None)))
    for size in citizen.sizes:
        outputs = model.predict_on_batch(citizen.inputs(size))
        assert_equal_outputs(outputs, layer(citizen.inputs(size)))
        real = shapes_of(outputs)
        shapes = layer.compute_output_shape(citizen.shapes(size))
        assert (shapes if isinstance(shapes, list) else [shapes]) == real
        lengths = [length for shape in real for length in shape]
        assert all(length in (None, known) for length, known in zip(unknown, lengths, strict=True))
    assert [shape[-1] for shape in shapes_of(model.outputs)] == [shape[-1] for shape in real]


@without_encoder
@pytest.mark.parametrize(
    ("policy", "tolerance"),
    [
        pytest.param("mixed_float16", 1e-2, marks=pytest.mark.backend),
        pytest.param("mixed_bfloat16", 6e-2, marks=pytest.mark.backend),
        pytest.param("float16", 1e-2, marks=pytest.mark.slow),
        pytest.param("bfloat16", 6e-2, marks=pytest.mark.slow),
    ],
)
def test_half_precision(citizen, policy, tolerance):
    layer = citizen.make()
    half_layer = type(layer).from_config(layer.get_config() | {"dtype": policy})
    model, half = citizen.model(layer), citizen.model(half_layer)
    kept_in = "float32" if policy.startswith("mixed") else policy
    assert {variable.dtype for variable in half.trainable_variables} <= {kept_in}
    half.set_weights(model.get_weights())
    # What is trained and used is traced; the rest is not.
    call = half.predict_on_batch if kept_in == "float32" else functools.partial(outputs_of, half)
    inputs = citizen.inputs(citizen.sizes[0])
    assert_equal_outputs(call(inputs), outputs_of(model, inputs), tolerance)
    # Squares of these overflow float16, and so do their sums over the channels.
    large = call(citizen.inputs(citizen.sizes[0], scale=1e3))
    assert all(np.isfinite(output).all() for output in numpy_outputs(large))


@pytest.mark.parametrize(
    "citizen",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name == "SegFormerNetwork" else [])
        for name in CITIZENS
        if name != "MixTransformer"
    ],
    indirect=True,
)
def test_xla_predicts_the_same(citizen):
    model = citizen.model()
    inputs = citizen.inputs(citizen.sizes[0])
    expected = model(inputs)
    model.compile(jit_compile=True)
    assert_equal_outputs(model.predict_on_batch(inputs), expected)


@pytest.mark.backend
@pytest.mark.usefixtures("without_xla")
@without_encoder
def test_gradients_reach_every_variable(citizen):
    model = citizen.model()
    if not model.trainable_variables:
        pytest.skip("nothing to train")
    for path, gradient in random_gradients(citizen, model).items():
        assert np.linalg.norm(gradient) > 0 or path.endswith(citizen.insensitive), path


@pytest.mark.usefixtures("without_xla")
@pytest.mark.parametrize(
    "citizen",
    ["MLPDecoder", "TransformerBlock", pytest.param("SegFormerNetwork", marks=pytest.mark.slow)],
    indirect=True,
)
def test_xla_trains_the_same(citizen):
    model = citizen.model()
    compiled = random_gradients(citizen, model, jit_compile=True)
    for path, gradient in random_gradients(citizen, model).items():
        if not path.endswith(citizen.insensitive):
            assert np.linalg.norm(compiled[path] - gradient) <= 1e-3 * np.linalg.norm(gradient), path


def random_gradients(citizen: Citizen, model: keras.Model, jit_compile: bool = False) -> dict[str, np.ndarray]:
    """Gradients of a weighted mean of all outputs, by the path of the variable."""
    inputs, generator = citizen.inputs(citizen.sizes[0]), np.random.default_rng(5)
    shapes = shapes_of(outputs_of(model, inputs))
    weights = [generator.normal(size=shape).astype("float32") for shape in shapes]
    return gradients_of(model, inputs, weights if len(weights) > 1 else weights[0], jit_compile)
