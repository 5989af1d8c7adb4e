"""Registration with Keras, so that saved files load without `custom_objects`."""

from __future__ import annotations

import keras

register = keras.saving.register_keras_serializable(package="keras_segformer")
"""Class decorator: registers a layer, model, loss or metric as `keras_segformer>ClassName`."""
