from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy, outputs_of, random_map
from keras_segformer.label_sets import LabelSet
from keras_segformer.models import MixTransformer, MLPDecoder, SegFormerConfig, SegFormerNetwork
from reference import bilinear_resize
from tiny import tiny_config


def random_images(*size: int, batch: int = 2) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (batch, *size, 3), dtype="uint8")


@pytest.fixture(scope="module")
def model() -> SegFormerNetwork:
    keras.utils.set_random_seed(1)
    return SegFormerNetwork(tiny_config())


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (100, 75), pytest.param((33, 47), marks=pytest.mark.backend)])
def test_one_model_takes_every_size(model, size):
    images = random_images(*size)
    logits = model.predict_on_batch(images)
    assert logits.shape == model.compute_output_shape(images.shape) == (2, *size, 5)
    quarter = numpy(outputs_of(model.quarter, images.astype("float32")))
    assert quarter.shape == (2, -(-size[0] // 4), -(-size[1] // 4), 5)
    assert_close(logits, bilinear_resize(quarter, size))


@pytest.mark.backend
def test_normalises_inside(model):
    images = random_images(64, 64)
    normalised = (images / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    expected = model.decoder(model.backbone(normalised.astype("float32")))
    assert_close(outputs_of(model.quarter, images.astype("float32")), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "float16"])
def test_images_may_have_any_numeric_type(model, dtype):
    images = random_images(64, 64)
    assert_close(model(images.astype(dtype)), model(images), tolerance=1e-6)


def test_images_of_a_batch_do_not_touch_each_other(model):
    images = random_images(64, 64)
    assert_close(model(images), np.concatenate([model(image[None]) for image in images]))


def test_output_stride_4_leaves_out_the_last_resize(model):
    quarter = SegFormerNetwork(tiny_config(output_stride=4))
    quarter.set_weights(model.get_weights())
    images = random_images(65, 64)
    assert quarter.compute_output_shape(images.shape) == (2, 17, 16, 5)
    assert_close(quarter(images), model.quarter(images.astype("float32")))


def test_names(model):
    assert model.output_names == ["logits"]
    assert [layer.name for layer in model.layers] == ["images", "normalization", "backbone", "decoder", "logits"]
    assert model.get_layer("backbone") is model.backbone


@pytest.mark.parametrize("overrides", [{"num_classes": 1}, {"decoder_stages": (2, 4)}, {"decoder_stages": (4,)}])
def test_few_classes_and_few_stages(overrides):
    config = tiny_config(**overrides)
    logits = numpy(SegFormerNetwork(config)(random_images(33, 64)))
    assert logits.shape == (2, 33, 64, config.num_classes)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("output_stride", [1, 4])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_are_float32_at_any_precision(policy, output_stride):
    model = SegFormerNetwork(tiny_config(output_stride=output_stride), dtype=policy)
    assert {layer.compute_dtype for layer in (model.backbone, model.decoder)} == {policy.removeprefix("mixed_")}
    assert model.output.dtype == "float32"
    assert model(random_images(64, 64)).dtype == "float32"


def fit(model: keras.Model, epochs: int = 2) -> list[float]:
    """The losses of a few steps on two pictures, a third of whose pixels have no label."""
    images = random_images(64, 64)
    labels = (images[..., 0] // 64).astype("int32")
    labels[:, ::3] = 255
    # Adam would take seconds to make its own variables, and a graph more seconds than the steps.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    return model.fit(images, labels, batch_size=2, epochs=epochs, verbose=0).history["loss"]


@pytest.mark.usefixtures("without_xla")
def test_fits():
    keras.utils.set_random_seed(2)
    model = SegFormerNetwork(tiny_config(drop_path_rate=0.1, decoder_dropout=0.1))
    before = model.get_weights()
    losses = fit(model, epochs=3)
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    changed = [not np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)]
    assert np.mean(changed) > 0.9


@pytest.mark.usefixtures("without_xla")
def test_another_backbone_trains_and_is_saved(tmp_path):
    keras.utils.set_random_seed(2)
    network = keras.applications.MobileNet((None, None, 3), alpha=0.25, include_top=False, weights=None)
    names = [f"conv_pw_{index}_relu" for index in (3, 5, 11, 13)]
    backbone = keras.Model(network.input, [network.get_layer(name).output for name in names])
    model = SegFormerNetwork(SegFormerConfig(encoder=None, num_classes=4, decoder_width=8), backbone=backbone)
    assert np.isfinite(fit(model)).all()

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is SegFormerNetwork
    assert loaded.config == model.config
    images = random_images(70, 64)
    assert_close(loaded(images), model(images), tolerance=1e-6)


def test_saved_models_keep_dtype_labels_and_dropout(tmp_path):
    label_set = LabelSet.generic(5)
    config = tiny_config(drop_path_rate=0.3, decoder_dropout=0.2)
    SegFormerNetwork(config, label_set=label_set, dtype="mixed_bfloat16").save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.config, loaded.label_set, loaded.dtype_policy.name) == (config, label_set, "mixed_bfloat16")
    assert loaded.backbone.get_layer("stage4_block1").drop_path.rate == pytest.approx(0.3)
    assert loaded.decoder.dropout.rate == 0.2


WRONG_IMAGES = {
    "list": ([np.zeros((64, 64, 3))], "one array .* got list; stack them"),
    "no batch": (np.zeros((64, 64, 3)), r"need a batch axis: got shape \(64, 64, 3\)"),
    "grey": (np.zeros((1, 64, 64, 1)), r"shape \(B, H, W, 3\), .*; got \(1, 64, 64, 1\)"),
    "alpha": (np.zeros((1, 64, 64, 4)), r"shape \(B, H, W, 3\)"),
    "channels first": (np.zeros((1, 3, 64, 64)), r"shape \(B, H, W, 3\)"),
    "rank 2": (np.zeros((64, 64)), r"shape \(B, H, W, 3\)"),
    "rank 5": (np.zeros((1, 1, 64, 64, 3)), r"shape \(B, H, W, 3\)"),
    "booleans": (np.zeros((1, 64, 64, 3), bool), "numeric dtype.*got bool"),
    "complex": (np.zeros((1, 64, 64, 3), "complex64"), "numeric dtype.*got complex64"),
    "objects": (np.zeros((1, 64, 64, 3), object), "dtype"),
    "text": (np.zeros((1, 64, 64, 3), "U1"), "dtype"),
    "low": (np.zeros((1, 31, 64, 3)), "at least 32x32 pixels, got 31x64"),
    "narrow": (np.zeros((1, 64, 5, 3)), "at least 32x32 pixels, got 64x5"),
}


@pytest.mark.parametrize(("images", "message"), WRONG_IMAGES.values(), ids=WRONG_IMAGES)
def test_wrong_images_are_named(model, images, message):
    with pytest.raises(ValueError, match=message):
        model(images)


def test_encoder_and_backbone_exclude_each_other():
    backbone = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1)])
    for config, given in ((tiny_config(), backbone), (SegFormerConfig(encoder=None), None)):
        with pytest.raises(ValueError, match="either an encoder in the config or a backbone"):
            SegFormerNetwork(config, backbone=given)


def test_numbers_of_classes_have_a_name():
    with pytest.raises(ValueError, match=r"`backbone` must be a Keras model .*; got 11: .*`num_classes=11`"):
        SegFormerNetwork("b0", 11)


@pytest.mark.parametrize("name", ["weights", "pretrained"])
def test_weights_are_named_where_they_are(name):
    with pytest.raises(ValueError, match=rf"no argument `{name}`, since its weights are random; .*from_preset"):
        SegFormerNetwork("b0", **{name: "imagenet"})


def backbone_of(*strides: int, reverse: bool = False, size: tuple[int | None, ...] = (None, None)) -> keras.Model:
    images = keras.Input((*size, 3))
    maps = [images]
    for stride in strides:
        maps.append(keras.layers.Conv2D(4, 3, strides=stride, padding="same")(maps[-1]))
    return keras.Model(images, maps[:0:-1] if reverse else maps[1:])


def test_maps_of_a_backbone_are_in_order():
    config = tiny_config(encoder=None)
    for backbone in (backbone_of(4, 2, 2, 2), backbone_of(8, 2, 1, 1)):
        assert SegFormerNetwork(config, backbone=backbone).decoder.output.shape[-1] == 5
    with pytest.raises(ValueError, match=r"the strides \[32, 16, 8, 4\], and the decoder takes the finest first"):
        SegFormerNetwork(config, backbone=backbone_of(4, 2, 2, 2, reverse=True))
    with pytest.raises(ValueError, match=r"the strides \[32, 16, 8, 4\]"):
        SegFormerNetwork(config, backbone=backbone_of(4, 2, 2, 2, reverse=True, size=(64, 96)))


def test_label_set_of_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match="names 4 classes, the model has 5"):
        SegFormerNetwork(tiny_config(), label_set=LabelSet.generic(4))


@pytest.mark.usefixtures("without_xla")
def test_images_with_a_single_key_train():
    """At 32x32 pixels every stage attends to one key, about which Keras would warn."""
    model = SegFormerNetwork(tiny_config())
    model.compile("sgd", "mse", run_eagerly=True)
    loss = model.train_on_batch(random_images(32, 32), random_map(2, 32, 32, 5))
    assert np.isfinite(loss)


class TestArguments:
    def test_fields_of_both_configurations_are_overrides(self):
        model = SegFormerNetwork(tiny_config(), num_classes=7, output_stride=4, depths=(2, 1, 1, 1))
        assert model.config == tiny_config(num_classes=7, output_stride=4, depths=(2, 1, 1, 1))
        assert model.output_shape == (None, None, None, 7)
        assert model.label_set.num_classes == 7

    def test_architectures_have_names(self):
        model = SegFormerNetwork("b0", num_classes=11, decoder_width=8)
        assert (model.config.num_classes, model.config.encoder.embed_dims) == (11, (32, 64, 160, 256))
        assert MixTransformer("pvt_v2_b0", depths=(1, 1, 1, 1)).config.mlp_ratios == (8, 8, 4, 4)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: SegFormerNetwork(tiny_config(), num_clases=3), "`num_clases`; did you mean `num_classes`"),
            (lambda: SegFormerNetwork(tiny_config(), licence=None), "`licence`; did you mean `license`"),
            (lambda: SegFormerNetwork(tiny_config(), nonsense=1), "SegFormerNetwork has no argument `nonsense`"),
            (lambda: MixTransformer("b0", embed_dim=1), "`embed_dim`; did you mean `embed_dims`"),
            (lambda: MLPDecoder(3, widht=4), "`widht`; did you mean `width`"),
            (lambda: SegFormerNetwork(3), "a name such as 'b0'; got int"),
            (lambda: MixTransformer(tiny_config()), "got SegFormerConfig, whose `encoder` is one"),
        ],
    )
    def test_others_are_refused_with_the_nearest(self, make, message):
        with pytest.raises(TypeError, match=message):
            make()

    def test_unknown_architectures_are_refused(self):
        with pytest.raises(ValueError, match=r"no architecture 'bO'; did you mean 'b\d'.*from_preset"):
            SegFormerNetwork("bO")


class TestFeatures:
    def test_are_outputs_for_a_new_model(self, model):
        images = random_images(33, 64)
        features = keras.Model(model.input, model.pyramid_outputs).predict_on_batch(images)
        normalised = model.get_layer("normalization")(images.astype("float32"))
        expected = model.backbone(normalised)
        assert list(features) == ["P2", "P3", "P4", "P5"]
        for level, ours, theirs in zip(range(2, 6), features.values(), expected, strict=True):
            assert ours.shape[1:3] == (-(-33 // 2**level), -(-64 // 2**level))
            assert_close(ours, theirs)

    def test_of_the_encoder_alone(self):
        encoder = MixTransformer(tiny_config().encoder)
        for outputs in (encoder.pyramid_outputs.values(), encoder.output):
            assert all(ours is theirs for ours, theirs in zip(outputs, encoder.outputs, strict=True))
        assert encoder.input.name == "normalised_images"

    def test_output_of_the_backbone_is_connected_to_the_images(self, model):
        features = keras.Model(model.input, model.backbone.output)
        assert all(
            ours is theirs for ours, theirs in zip(features.outputs, model.pyramid_outputs.values(), strict=True)
        )
        # The encoder's own graph begins at normalised images.
        assert model.backbone.inputs[0].name == "normalised_images" != model.input.name
        for part in (
            keras.Model(model.backbone.inputs, model.backbone.outputs),
            keras.Model(model.backbone.input, model.backbone.output),
        ):
            assert [shape[-1] for shape in part.output_shape] == [16, 32, 40, 64]


class TestTrainable:
    @pytest.mark.parametrize("kind", [SegFormerNetwork, MixTransformer])
    def test_of_every_layer_comes_back(self, tmp_path, kind):
        model = kind(tiny_config() if kind is SegFormerNetwork else tiny_config().encoder)
        encoder = model.backbone if kind is SegFormerNetwork else model
        encoder.trainable = False
        encoder.get_layer("stage1_norm").trainable = True
        encoder.get_layer("stage2_block1").attention.trainable = True
        expected = {layer.path: layer.trainable for layer in model._flatten_layers(include_self=False)}
        model.save(tmp_path / "model.keras")
        for copy in (
            kind.from_config(model.get_config()),
            keras.saving.load_model(tmp_path / "model.keras"),
        ):
            assert {layer.path: layer.trainable for layer in copy._flatten_layers(include_self=False)} == expected
            ours = [variable.path for variable in copy.trainable_variables]
            assert ours == [variable.path for variable in model.trainable_variables]

    def test_of_a_decoder_alone_comes_back(self):
        decoder = MLPDecoder(3, 8)
        decoder.trainable = False
        decoder.classifier.trainable = True
        copy = MLPDecoder.from_config(decoder.get_config())
        assert not copy.trainable
        assert not copy.batch_norm.trainable
        assert copy.classifier.trainable

    def test_inside_an_own_backbone_comes_back(self):
        images = keras.Input((None, None, 3))
        maps = [images]
        for stride in (4, 2, 2, 2):
            maps.append(keras.layers.Conv2D(4, 3, stride, padding="same", data_format="channels_last")(maps[-1]))
        backbone = keras.Model(images, maps[1:])
        backbone.layers[2].trainable = False
        model = SegFormerNetwork(SegFormerConfig(encoder=None, num_classes=2, decoder_width=4), backbone=backbone)
        copy = SegFormerNetwork.from_config(model.get_config())
        assert [layer.trainable for layer in copy.backbone.layers] == [True, True, False, True, True]

    def test_of_a_layer_that_is_gone_is_an_error(self):
        config = SegFormerNetwork(tiny_config()).get_config() | {"trainable_flags": {"backbone/stem": False}}
        with pytest.raises(ValueError, match="has a layer 'backbone/stem', which this version does not"):
            SegFormerNetwork.from_config(config)


@pytest.mark.parametrize("kind", [SegFormerNetwork, MixTransformer])
def test_quantize_names_the_converter(kind):
    model = kind(tiny_config() if kind is SegFormerNetwork else tiny_config().encoder)
    with pytest.raises(NotImplementedError, match=r'convert.*precision="int8"'):
        model.quantize("int8")


@pytest.mark.parametrize(
    "make",
    [lambda: SegFormerNetwork(tiny_config()), lambda: MixTransformer(tiny_config().encoder), lambda: MLPDecoder(3)],
)
def test_channels_first_is_refused(make):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r'set_image_data_format\("channels_last"\)'):
            make()
    finally:
        keras.config.set_image_data_format("channels_last")
