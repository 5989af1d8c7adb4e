"""From a picture of any size to a label map of that size, in bounded memory.

`segment.py` reads from top to bottom: the size at which the network sees the picture (`sizes`), its logits at a quarter
of that size (`logits`), and labels at the picture's own size (`enlarge`). Both resizes are `interpolation`'s. Averages
over several scales and mirrored pictures are in `views`.
"""

from keras_segformer.predict.logits import MAX_PIXELS
from keras_segformer.predict.segment import Segmentation, segment
from keras_segformer.predict.sizes import SizeChoice

__all__ = ["MAX_PIXELS", "Segmentation", "SizeChoice", "segment"]
