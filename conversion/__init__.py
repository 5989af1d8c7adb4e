"""TF Lite conversion (imported as keras_segformer.conversion)."""

from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.convert import convert

__all__ = ["audit", "convert"]
