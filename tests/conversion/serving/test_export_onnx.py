"""ONNX files: ONNX Runtime computes what the network does, for any batch and size."""

from __future__ import annotations

import hashlib
import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from comparison import randomize
from keras_segformer import SegFormer
from keras_segformer.analysis import cnn_backbone
from keras_segformer.conversion import export_onnx
from keras_segformer.errors import MissingExtraError
from keras_segformer.ops import predicted_labels
from keras_segformer.predict import segment
from random_models import CONFIGS, random_model
from tiny import light_segmenter

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")  # beside TensorFlow, whose protobuf onnx shares


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def images_of(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_are_those_of_the_network(name, tmp_path):
    model = random_model(name)
    export_onnx(model, tmp_path / "m.onnx")
    served = session(tmp_path / "m.onnx")
    for shape in ((1, 64, 64), (2, 33, 75)):
        images = images_of(*shape)
        [logits] = served.run(None, {"images": images})
        expected = np.asarray(model(images))
        assert logits.shape == expected.shape
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("name", ["tiny", "binary"])
def test_other_outputs(name, tmp_path):
    model, images = random_model(name), images_of(2, 64, 96)
    logits = np.asarray(model(images))
    results = {}
    for output in ("probabilities", "labels", "labels_full"):
        export_onnx(model, tmp_path / "m.onnx", input="float32", output=output, overwrite=True)
        [results[output]] = session(tmp_path / "m.onnx").run([output], {"images": images.astype(np.float32)})
    assert results["labels"].dtype == np.int32
    assert np.mean(results["labels"] == predicted_labels(logits)) > 0.999
    assert results["probabilities"].shape == (*logits.shape[:3], max(2, logits.shape[3]))
    np.testing.assert_allclose(results["probabilities"].sum(axis=-1), 1, atol=1e-5)
    assert np.mean(results["probabilities"].argmax(axis=-1) == results["labels"]) > 0.999
    expected = segment(model, list(images), size="native")
    assert np.mean(results["labels_full"] == expected) > 0.999


def test_facts(tmp_path):
    facts = export_onnx(random_model("tiny"), tmp_path / "m.onnx")
    content = (tmp_path / "m.onnx").read_bytes()
    assert (facts["bytes"], facts["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    texts = {each.key: each.value for each in model.metadata_props}
    assert json.loads(texts["label_set"]) == facts["label_set"]
    assert json.loads(texts["input"]) == {
        "shape": ["batch", "height", "width", 3],
        "dtype": "uint8",
        "colors": "RGB",
        "range": [0, 255],
    }
    assert texts["graph_sha256"] == hashlib.sha256(model.graph.SerializeToString(deterministic=True)).hexdigest()
    assert session(tmp_path / "m.onnx").get_modelmeta().custom_metadata_map == texts


def test_existing_files_are_kept(tmp_path):
    file = tmp_path / "m.onnx"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite"):
        export_onnx(random_model("tiny"), file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "m.tflite"}, "ends in .onnx"),
        ({"input": "int8"}, "choose one of uint8, float32"),
        ({"output": "masks"}, "choose one of labels, labels_full"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path):
    path = tmp_path / arguments.pop("path", "m.onnx")
    with pytest.raises(ValueError, match=message):
        export_onnx(random_model("tiny"), path, **arguments)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def foreign():
    """A network whose encoder has GELU, SiLU, norms, and convolutions in groups, which Keras compiles."""
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    model = light_segmenter(image_mean=(100, 110, 120))
    maps = list(model.backbone.output)
    maps[3] = keras.layers.LayerNormalization()(keras.activations.gelu(maps[3], approximate=False))
    maps[1] = keras.layers.Normalization(mean=range(8), variance=range(1, 9))(maps[1])
    maps[2] = keras.layers.Conv2D(8, 3, padding="same", groups=2, activation="silu")(maps[2])
    maps[3] = keras.layers.Average()([maps[3], keras.layers.MaxPooling2D(padding="same")(maps[2])])
    model = SegFormer(model.config, backbone=keras.Model(model.backbone.input, maps))
    randomize(model.decoder)
    return model


def test_other_encoders(foreign, tmp_path):
    facts = export_onnx(foreign, tmp_path / "m.onnx")
    assert facts["output"]["shape"] == ["batch", "rows", "columns", 5]
    content = onnx.load(tmp_path / "m.onnx")
    assert [(each.domain, each.version) for each in content.opset_import] == [("", 17)]
    assert {each.domain for each in content.graph.node} == {""}
    served = session(tmp_path / "m.onnx")
    for shape in ((1, 64, 64), (2, 66, 98)):
        images = images_of(*shape)
        [logits] = served.run(None, {"images": images})
        expected = np.asarray(foreign.quarter(images))
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_other_encoders_need_tf2onnx(foreign, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(MissingExtraError, match=r"tf2onnx.*pip install 'keras-segformer\[onnx\]'"):
        export_onnx(foreign, tmp_path / "m.onnx")


def test_operations_that_onnx_lacks(foreign, tmp_path):
    backbone = foreign.backbone
    maps = [*backbone.output[:3], keras.layers.Lambda(tf.math.igamma, arguments={"x": 1.0})(backbone.output[3])]
    model = SegFormer(foreign.config, backbone=keras.Model(backbone.input, maps))
    with pytest.raises(ValueError, match=r"operations that ONNX does not have \(Igamma\); export a SavedModel"):
        export_onnx(model, tmp_path / "m.onnx")


def with_last_map(model, layer):
    """The network with one more layer behind its coarsest feature map."""
    maps = model.backbone.output
    return SegFormer(model.config, backbone=keras.Model(model.backbone.input, [*maps[:3], layer(maps[3])]))


class Loop(keras.layers.Layer):
    def call(self, x):
        return keras.ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y / 2 + keras.ops.gelu(x, False)), (0, x))[
            1
        ]

    def compute_output_shape(self, input_shape):
        return input_shape


def assert_exported(model, path, images):
    export_onnx(model, path)
    [logits] = session(path).run(None, {"images": images})
    expected = np.asarray(model.quarter(images))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_loops(foreign, tmp_path):
    model = with_last_map(foreign, Loop())
    randomize(model.decoder)
    assert_exported(model, tmp_path / "m.onnx", images_of(1, 64, 96))


def encoder_of_stems(size, kernel):
    """Maps whose first convolution has no border."""
    images = keras.Input((*size, 3))
    maps = [keras.layers.Conv2D(4, kernel, strides=4)(images)]
    for _ in range(3):
        maps.append(keras.layers.Conv2D(4, 3, strides=2, padding="same")(maps[-1]))
    return keras.Model(images, maps)


@pytest.mark.parametrize(("size", "kernel"), [((None, None), 75), ((96, 128), 7)], ids=["large", "fixed"])
def test_encoders_of_certain_sizes(foreign, tmp_path, size, kernel):
    model = SegFormer(foreign.config, backbone=encoder_of_stems(size, kernel))
    assert_exported(model, tmp_path / "m.onnx", images_of(1, 96, 128))


def test_encoders_without_maps_are_refused(foreign, tmp_path):
    model = SegFormer(foreign.config, backbone=encoder_of_stems((None, None), 299))
    with pytest.raises(ValueError, match="no feature maps of images of 297x594 pixels; make it for images of any size"):
        export_onnx(model, tmp_path / "m.onnx")


def test_what_is_translated_wrongly(foreign, tmp_path, monkeypatch):
    import tf2onnx

    def translate(*arguments, **options):
        translated, storage = from_function(*arguments, **options)
        for each in translated.graph.initializer:  # as tf2onnx 1.17 does with a factor in a branch
            if each.data_type == onnx.TensorProto.FLOAT:
                each.CopyFrom(onnx.numpy_helper.from_array(np.float32(2) * onnx.numpy_helper.to_array(each), each.name))
        return translated, storage

    from_function = tf2onnx.convert.from_function
    monkeypatch.setattr(tf2onnx.convert, "from_function", translate)
    with pytest.raises(ValueError, match="one that computes something else; export a SavedModel"):
        export_onnx(foreign, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("network", ["MobileNetV2", "EfficientNetB0"])
def test_keras_applications(network, tmp_path):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    model = SegFormer(*cnn_backbone(network, weights=None, num_classes=5, decoder_width=24))
    export_onnx(model, tmp_path / "m.onnx")
    images = images_of(2, 64, 96)
    [logits] = session(tmp_path / "m.onnx").run(None, {"images": images})
    expected = np.asarray(model.quarter(images))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * max(1, np.abs(expected).max()))


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'keras-segformer\[onnx\]'"):
        export_onnx(random_model("tiny"), tmp_path / "m.onnx")
