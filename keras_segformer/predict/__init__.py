"""From a picture of any size to a label map of that size, in bounded memory.

`segment.py` reads from top to bottom: the size at which the network sees the picture (`sizes`), its logits at a quarter
of that size (`logits`), and labels at the picture's own size (`enlarge`). Both resizes are `interpolation`'s. Averages
over several scales and mirrored pictures are in `views`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
