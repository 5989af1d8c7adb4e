"""The name under which Keras finds our classes again in a saved file."""

from __future__ import annotations

import keras

register = keras.saving.register_keras_serializable(package="keras_segformer")
"""Class decorator: registers a layer or model as `keras_segformer>ClassName`."""
