"""What the paper shows of SegFormer, for any model: parameters and arithmetic, receptive fields."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
