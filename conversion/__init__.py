"""Conversion to TF Lite files, and what can be found out about such files (imported as keras_segformer.conversion)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
