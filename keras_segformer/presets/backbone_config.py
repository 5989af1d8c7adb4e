"""Which objects the config of a preset's own backbone may name.

Keras makes whatever a config names. Old versions do so with functions of any module (CVE-2025-1550, CVE-2025-8747,
CVE-2025-9906), and some layers read files or run code that a config names (CVE-2025-12058, CVE-2025-49655,
CVE-2026-1462). None of them belongs in a backbone, so they are refused before Keras sees the config.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.errors import InvalidPresetError

_MODULES = (
    *("keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.dtype_policies"),
    *("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.image"),  # operations between layers, such as a sum
)
_MODELS = ("Functional", "Model", "Sequential", "DTypePolicy")
_MODEL_MODULES = ("keras", "keras.models", "keras.src.models.functional", "keras.src.models.sequential")
# They run code, or read files, that their config names.
_REFUSED_LAYERS = (
    *("Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"),
    *("StringLookup", "IntegerLookup", "IndexLookup", "TextVectorization"),
)
_VALUES = ("__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__ellipsis__", "__slice__")


def check_backbone_config(values: Any) -> None:
    """Refuses a config that names anything but the usual layers, and classes that this process has registered.

    Args:
        values: What `keras.saving.serialize_keras_object` made of a backbone, as a file has it.

    Raises:
        InvalidPresetError: It names something else. The message says what.

    Example:

    >>> check_backbone_config({"module": "keras.layers", "class_name": "ReLU", "config": {}})
    """
    if isinstance(values, dict):
        if "class_name" in values:
            _check_object(values)
        values = list(values.values())
    if isinstance(values, list):
        for value in values:
            check_backbone_config(value)


def _check_object(values: dict[str, Any]) -> None:
    module, name, registered = (values.get(key) for key in ("module", "class_name", "registered_name"))
    if isinstance(registered, str) and ">" in registered and keras.saving.get_registered_object(registered):
        return  # Keras takes it from the registry, whatever the module
    usual = module in _MODULES and name not in _REFUSED_LAYERS
    if usual or (module in _MODEL_MODULES and name in _MODELS) or (module is None and name in _VALUES):
        return
    raise InvalidPresetError(
        f"The config of the backbone names {module}.{name}, which no backbone needs, and was refused; where you trust "
        "its author, register the class with `keras.saving.register_keras_serializable` and load the preset again."
    )
