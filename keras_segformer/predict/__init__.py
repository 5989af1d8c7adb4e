"""From a picture of any size to a label map of that size, within bounded memory.

`segment` is the way in. The steps are a file each: the size at which the network sees the picture (`sizes`), bilinear
interpolation (`interpolation`), the forward pass (`forward`), overlapping windows (`windows`), several scales and
mirror images (`views`), and the way back to the picture's own size (`enlarge`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
