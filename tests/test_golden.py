"""Features and logits against files that transformers and timm computed themselves."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segformer import SegFormer, load_encoder
from keras_segformer.ops import resize_bilinear

pytestmark = pytest.mark.backend

TOLERANCE = 1e-5
SQUARE_AND_ODD = ("case0", "case1", "case2", "case3")
OFFICIAL_EPSILONS = {"block_norm_epsilon": 1e-6, "stage_norm_epsilon": 1e-6}


def assert_close(actual, expected, what):
    actual = keras.ops.convert_to_numpy(actual)
    assert actual.shape == expected.shape, what
    error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
    assert error <= TOLERANCE, f"{what}: relative error {error:.1e}"


def assert_same_features(features, expected, case):
    for stage, feature in enumerate(features, start=1):
        assert_close(feature, expected[f"{case}.stage{stage}"], f"{case}, stage {stage}")


def assert_same_parts(model, expected, case):
    """The encoder and the decoder, called one after the other as the public surface has them."""
    features = model.backbone(expected[f"{case}.input"])
    assert_same_features(features, expected, case)
    logits = model.decoder(features)
    assert_close(logits, expected[f"{case}.logits"], f"{case}, logits")
    enlarged = resize_bilinear(logits, expected[f"{case}.input"].shape[1:3])
    assert_close(enlarged, expected[f"{case}.logits_full"], f"{case}, logits at full size")


def images_of(normalised, config):
    """The images whose normalisation, which the model does itself, gives these arrays."""
    return normalised * np.array(config.image_std, "float32") + np.array(config.image_mean, "float32")


@pytest.fixture(scope="module")
def hf(shared):
    return SegFormer.from_preset(shared / "golden/tiny_hf"), np.load(shared / "golden/tiny_hf/expected.npz")


@pytest.mark.parametrize("case", SQUARE_AND_ODD)
def test_transformers(hf, case):
    model, expected = hf
    assert_same_parts(model, expected, case)


@pytest.mark.parametrize("case", SQUARE_AND_ODD)
def test_the_whole_model_normalises_and_enlarges(hf, case):
    model, expected = hf
    logits = model.predict_on_batch(images_of(expected[f"{case}.input"], model.config))
    assert_close(logits, expected[f"{case}.logits_full"], case)


@pytest.mark.parametrize("spelling", ["model.safetensors", "segformer_official.safetensors", "segformer_official.pth"])
def test_the_original_code_in_its_spellings(shared, spelling):
    model = SegFormer.from_preset(shared / "golden/tiny_official" / spelling, **OFFICIAL_EPSILONS)
    expected = np.load(shared / "golden/tiny_official/expected.npz")
    # Called eagerly, because JAX then compiles every operation once for all spellings.
    for case in SQUARE_AND_ODD:
        assert_same_parts(model, expected, case)


def test_the_original_imagenet_file(shared):
    encoder = load_encoder(shared / "golden/tiny_official/mit_official.pth")
    expected = np.load(shared / "golden/tiny_official/expected.npz")
    for case in SQUARE_AND_ODD:
        assert_same_features(encoder(expected[f"{case}.input"]), expected, case)


@pytest.mark.parametrize("case", ["case0", "case1"])
def test_timm(shared, case):
    preset = shared / "golden/tiny_pvt_v2_timm"
    expected = np.load(preset / "expected.npz")
    images = expected[f"{case}.input"]
    assert_same_features(load_encoder(preset)(images), expected, case)
    classifier = load_encoder(preset, classification_head=True)
    assert_close(classifier(images), expected[f"{case}.class_logits"], case)


@pytest.fixture(scope="module")
def b0(shared):
    return SegFormer.from_preset(shared / "weights/b0_ade20k", output_stride=4)


@pytest.mark.parametrize("case", ["cats_512x512", "camvid_352x480"])
def test_the_real_weights(shared, b0, case):
    expected = np.load(shared / "golden/b0_ade20k/expected.npz")
    normalised = expected[f"{case}.input"]
    assert_close(b0.predict_on_batch(images_of(normalised, b0.config)), expected[f"{case}.logits"], case)


def test_the_published_slice(shared, b0):
    """The weights here have rounded kernels, which moves the logits by at most 0.7, and by 0.31 in the mean."""
    published = json.loads((shared / "weights/published_reference/hf_expected_logits_slice.json").read_text())
    with Image.open(shared / "data/coco_cats_000000039769.png") as photograph:
        image = np.asarray(photograph.convert("RGB").resize((512, 512), Image.Resampling.BILINEAR))
    logits = b0.predict_on_batch(image[None])[0, :3, :3, :3]
    differences = np.abs(logits.transpose(2, 0, 1) - np.array(published["logits[0,:3,:3,:3]"]))
    assert differences.max() <= 0.7
    assert differences.mean() <= 0.32
