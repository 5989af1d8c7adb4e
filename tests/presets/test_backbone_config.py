"""What the config of a backbone may name."""

from __future__ import annotations

import keras
import pytest

from keras_segformer.errors import InvalidPresetError
from keras_segformer.presets.backbone_config import check_backbone_config


def usual_backbone() -> keras.Model:
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 3, activation="gelu", kernel_regularizer="l2", name="first")(images)
    maps = keras.layers.Add()([maps, keras.layers.LayerNormalization(dtype="float32")(maps)])
    inner = keras.Sequential([keras.layers.BatchNormalization(), keras.layers.ReLU()])
    return keras.Model(images, [inner(maps), maps + 1.0])


def test_usual_layers_pass():
    check_backbone_config(keras.saving.serialize_keras_object(usual_backbone()))


def test_classes_that_the_process_has_registered_pass():
    @keras.saving.register_keras_serializable("tests")
    class Halve(keras.layers.Layer):
        def call(self, inputs):
            return inputs / 2

    check_backbone_config(keras.saving.serialize_keras_object(Halve()))
    with pytest.raises(InvalidPresetError, match="Unknown"):
        check_backbone_config({"module": "m", "class_name": "Unknown", "registered_name": "tests>Unknown"})


def named(module: str | None, name: str, **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


@pytest.mark.parametrize(
    "attack",
    [
        named("os", "system", value="true"),
        named("builtins", "function", config="eval"),
        named(None, "__lambda__", value="4wEAAAA="),
        named("keras.config", "enable_unsafe_deserialization"),
        named("keras.utils", "get_file", origin="http://localhost/x"),
        named("keras.src.utils.file_utils", "get_file"),
        named("keras", "Lambda"),
        named("keras.layers", "Lambda", function="x"),
        named("keras.layers", "StringLookup", vocabulary="/etc/passwd"),
        named("keras.layers", "TFSMLayer", filepath="model"),
        named("keras.layers", "TorchModuleWrapper"),
    ],
    ids=lambda attack: f"{attack['module']}.{attack['class_name']}",
)
def test_anything_else_is_refused_however_deep(attack):
    nested = named("keras.layers", "Conv2D", kernel_initializer=[{"x": attack}])
    for values in (attack, nested, [nested]):
        with pytest.raises(InvalidPresetError, match=r"which no backbone needs, and was refused"):
            check_backbone_config(values)
