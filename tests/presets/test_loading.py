"""From a preset to a model: names, folders, files, other heads, other settings."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from comparison import numpy
from keras_segformer.errors import InvalidPresetError, PresetNotFoundError, WeightsMismatchError
from keras_segformer.label_sets import load_label_set
from keras_segformer.models import MixTransformer, SegFormerNetwork
from keras_segformer.presets import PRESETS, load_encoder, load_segmenter, save_keras_folder
from keras_segformer.presets.torch_weights import parameters
from tiny import tiny_config

IMAGES = np.arange(40 * 48 * 3, dtype="float32").reshape(1, 40, 48, 3) % 256


def _values(model):
    return {path: keras.ops.convert_to_numpy(variable.value) for path, variable in parameters(model).items()}


def _assert_equal_weights(actual, expected):
    """All weights of `expected` are those of the same paths in `actual`."""
    values = _values(actual)
    for path, value in _values(expected).items():
        np.testing.assert_array_equal(values[path], value, err_msg=path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model, folder = SegFormerNetwork(tiny_config()), tmp_path_factory.mktemp("presets") / "tiny"
    save_keras_folder(model, folder)
    return model, folder


@pytest.fixture
def by_name(shared, monkeypatch):
    """The real weights, found under their catalogue name."""
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(shared / "weights"))
    return "b0_ade20k"


def test_a_name_brings_what_the_catalogue_knows(by_name, caplog):
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        model = load_segmenter(SegFormerNetwork, by_name)
    assert model.label_set == load_label_set("ade20k")
    assert model.license.non_commercial
    assert model.config.input_size == (512, 512)


def test_non_commercial_weights_are_announced_once(shared, tmp_path, monkeypatch, caplog):
    (tmp_path / "b0_ade20k").symlink_to(shared / "weights/b0_ade20k")
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(tmp_path))
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        for _ in range(2):
            load_segmenter(SegFormerNetwork, "b0_ade20k")
    assert caplog.text.count("non-commercial use only") == 1


def test_the_licence_stays_with_models_made_from_the_weights(by_name, tmp_path):
    model = load_segmenter(SegFormerNetwork, by_name, num_classes=3)
    save_keras_folder(model, tmp_path / "tuned")
    assert load_segmenter(SegFormerNetwork, tmp_path / "tuned").license.non_commercial


def test_another_number_of_classes_keeps_all_but_the_classifier(saved, caplog):
    source, folder = saved
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        model = load_segmenter(SegFormerNetwork, folder, num_classes=9)
    assert "afresh, to be trained: decoder/classifier" in caplog.text
    kept = _values(source)
    for path, value in _values(model).items():
        if path.startswith("decoder/classifier/"):
            assert value.shape[-1] == 9
        else:
            np.testing.assert_array_equal(value, kept[path], err_msg=path)
    assert model.label_set.num_classes == 9


def test_another_decoder_width_keeps_the_encoder(saved, caplog):
    source, folder = saved
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        model = load_segmenter(SegFormerNetwork, folder, decoder_width=16)
    assert "decoder/batch_norm, decoder/classifier, decoder/fusion" in caplog.text
    kept = _values(source.backbone)
    for path, value in _values(model.backbone).items():
        np.testing.assert_array_equal(value, kept[path], err_msg=path)


def test_settings_without_weights_are_changed_in_silence(saved, caplog):
    source, folder = saved
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        model = load_segmenter(
            SegFormerNetwork, folder, drop_path_rate=0.5, decoder_dropout=0.0, block_norm_epsilon=1e-5, output_stride=4
        )
    assert not caplog.records
    assert model.config.encoder.drop_path_rate == 0.5
    assert model.output_shape == (None, None, None, 5)
    assert model(IMAGES).shape == (1, 10, 12, 5)
    _assert_equal_weights(model, source)


def test_a_policy_reaches_every_layer(saved):
    model = load_segmenter(SegFormerNetwork, saved[1], dtype="mixed_bfloat16")
    assert model.backbone.get_layer("stage1_block1").attention.query.compute_dtype == "bfloat16"
    assert keras.backend.standardize_dtype(model(IMAGES).dtype) == "float32"


def test_without_weights_the_architecture_is_the_same(saved):
    source, folder = saved
    model = load_segmenter(SegFormerNetwork, folder, load_weights=False)
    assert model.config == source.config
    assert not np.array_equal(numpy(model(IMAGES)), numpy(source(IMAGES)))


@pytest.mark.parametrize("name", ["b0_ade20k", "b1_cityscapes", "mit_b0_imagenet", "pvt_v2_b0_imagenet"])
def test_architectures_of_the_catalogue_need_no_files(name):
    model = load_segmenter(SegFormerNetwork, name, load_weights=False, num_classes=4)
    assert model.config.num_classes == 4
    assert model.config.input_size == PRESETS[name].input_size


def test_an_encoder_needs_classes_without_weights_too():
    with pytest.raises(ValueError, match="num_classes"):
        load_segmenter(SegFormerNetwork, "mit_b0_imagenet", load_weights=False)


def test_a_path_is_never_a_catalogue_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_keras_folder(SegFormerNetwork(tiny_config()), tmp_path / "b0_ade20k")
    model = load_segmenter(SegFormerNetwork, Path("b0_ade20k"), load_weights=False)
    assert model.config == tiny_config()


@pytest.mark.parametrize("name", ["golden/tiny_official/mit_official.pth", "golden/tiny_pvt_v2_timm"])
def test_encoders_become_segmenters(shared, name, caplog):
    with pytest.raises(ValueError, match="num_classes"):
        load_segmenter(SegFormerNetwork, shared / name)
    encoder = load_encoder(shared / name)
    with caplog.at_level(logging.WARNING, "keras_segformer"):
        model = load_segmenter(SegFormerNetwork, shared / name, num_classes=3)
    assert "afresh, to be trained: decoder/" in caplog.text
    _assert_equal_weights(model, encoder)


def test_a_head_is_kept_on_request(shared):
    classifier = load_encoder(shared / "golden/tiny_pvt_v2_timm", classification_head=True)
    assert isinstance(classifier, MixTransformer)
    assert classifier.output_shape == (None, 10)
    with pytest.raises(ValueError, match="no ImageNet head"):
        load_encoder(shared / "golden/tiny_hf", classification_head=True)


def test_the_encoder_of_a_segmenter_comes_alone(saved):
    source, folder = saved
    encoder = load_encoder(folder, drop_path_rate=0.3)
    assert encoder.config.drop_path_rate == 0.3
    _assert_equal_weights(encoder, source.backbone)


def test_heads_that_no_file_records_can_be_given(shared):
    file = shared / "golden/tiny_official/segformer_official.safetensors"
    model = load_segmenter(SegFormerNetwork, file, num_heads=(2, 4, 5, 4))
    assert model.config.encoder.num_heads == (2, 4, 5, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes"),
        ({"output_stride": 3}, "output_stride"),
        ({"num_clases": 3}, "no argument `num_clases`; did you mean `num_classes`"),
        ({"label_set": load_label_set("camvid")}, "label set 'camvid' names 11 classes"),
    ],
)
def test_bad_arguments_are_named(saved, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_segmenter(SegFormerNetwork, saved[1], **arguments)


def test_an_unknown_name_suggests_known_ones():
    with pytest.raises(PresetNotFoundError, match="b0_ade20k"):
        load_segmenter(SegFormerNetwork, "b0_ade2k")


def test_a_folder_without_weights_says_what_it_lacks(tmp_path):
    with pytest.raises(InvalidPresetError, match="no weights that can be read"):
        load_segmenter(SegFormerNetwork, tmp_path)


def test_several_files_of_weights_must_be_told_apart(shared, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").symlink_to(shared / "golden/tiny_official/segformer_official.safetensors")
    with pytest.raises(InvalidPresetError, match=r"several files.*a\.safetensors"):
        load_segmenter(SegFormerNetwork, tmp_path)
    assert load_segmenter(SegFormerNetwork, tmp_path / "a.safetensors").config.num_classes == 7


def test_weights_of_transformers_need_their_config(shared, tmp_path):
    (tmp_path / "model.safetensors").symlink_to(shared / "golden/tiny_hf/model.safetensors")
    with pytest.raises(InvalidPresetError, match=r"lacks config\.json"):
        load_segmenter(SegFormerNetwork, tmp_path)


@pytest.fixture
def transformers_folder(shared, tmp_path):
    """A folder of transformers to damage."""
    return Path(shutil.copytree(shared / "golden/tiny_hf", tmp_path / "damaged", copy_function=shutil.copyfile))


CLASSIFIER = "decode_head.classifier.weight"
DAMAGES = {
    "missing": lambda tensors: tensors.pop(CLASSIFIER),
    "extra": lambda tensors: tensors.update({"decode_head.auxiliary.weight": np.zeros(3, "float32")}),
    "another shape": lambda tensors: tensors.update({CLASSIFIER: tensors[CLASSIFIER][1:]}),
    "not a number": lambda tensors: tensors[CLASSIFIER].fill(np.nan),
    "infinite": lambda tensors: tensors[CLASSIFIER].fill(np.inf),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("num_classes", [None, 3])
def test_tensors_that_do_not_fit_give_no_model(transformers_folder, damage, num_classes):
    tensors = {name: array.copy() for name, array in load_file(transformers_folder / "model.safetensors").items()}
    DAMAGES[damage](tensors)
    save_file(tensors, transformers_folder / "model.safetensors")
    with pytest.raises(WeightsMismatchError, match=r"decode_head\.(classifier|auxiliary)\.weight"):
        load_segmenter(SegFormerNetwork, transformers_folder, num_classes=num_classes)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_truncation_gives_a_named_error(transformers_folder, name, data):
    path = transformers_folder / name
    content = path.read_bytes()
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 2))])
    try:
        with pytest.raises(InvalidPresetError, match=name.replace(".", r"\.")):
            load_segmenter(SegFormerNetwork, transformers_folder)
    finally:
        path.write_bytes(content)
