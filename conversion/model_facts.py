"""What every kind of file says about its model."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
from typing import Any

import tensorflow as tf

from keras_segformer.label_sets.display_colors import palette_colors
from keras_segformer.models import SegFormerNetwork


def model_facts(model: SegFormerNetwork) -> dict[str, Any]:
    """Describe a model.

    Args:
        model: The model.

    Returns:
        The label set with a colour for every class, the licence of the weights if they have one, the versions of the
        packages that write the file, and a checksum of the weights, by which files of one network belong together.

    Example:

    >>> facts = model_facts(SegFormerNetwork("b0", num_classes=3))
    >>> facts["label_set"]["names"], sorted(facts["written_by"])
    (['class 0', 'class 1', 'class 2'], ['keras', 'keras-segformer', 'tensorflow'])
    """
    # Programs that show the result, such as the demo app, draw it in the colours of the file.
    label_set = dataclasses.replace(model.label_set, palette=palette_colors(model.label_set))
    versions = {name: importlib.metadata.version(name) for name in ("keras-segformer", "keras")}
    return {
        "label_set": label_set.to_dict(),
        "license": model.license and dataclasses.asdict(model.license),
        "written_by": versions | {"tensorflow": tf.__version__},
        "network": _digest(model),
    }


def _digest(model: SegFormerNetwork) -> str:
    """SHA-256 of the weights, in their order."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(str(weight.shape).encode())
        digest.update(weight.tobytes())
    return digest.hexdigest()
