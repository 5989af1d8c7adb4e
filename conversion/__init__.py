"""TF Lite conversion (imported as keras_segformer.conversion)."""

from .audit import audit
from .convert import convert

__all__ = ["audit", "convert"]
