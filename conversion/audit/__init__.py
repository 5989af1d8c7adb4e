"""Audit of TF Lite files: operators, the versions that they need, the oldest runtime, and what delegates take."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
