"""From a picture of any size to a label map of that size, within bounded memory.

`segment` is the way in. The steps are a file each: the size at which the network sees the picture (`sizes`), bilinear
interpolation (`interpolation`), the forward pass (`forward`), overlapping windows (`windows`), and the way back to the
picture's own size (`enlarge`).
"""

from keras_segformer.predict.segment import MAX_PIXELS, Segmentation, segment
from keras_segformer.predict.sizes import SizeChoice

__all__ = ["MAX_PIXELS", "Segmentation", "SizeChoice", "segment"]
