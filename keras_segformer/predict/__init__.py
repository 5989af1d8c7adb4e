"""From a picture of any size to a label map of that size, within bounded memory.

`segment` is the way in. The steps are a file each: the size at which the network sees the picture (`sizes`), bilinear
interpolation (`interpolation`), the forward pass (`forward`), overlapping windows (`windows`), several scales and
mirror images (`views`), and the way back to the picture's own size (`enlarge`).
"""

from keras_segformer.predict.segment import Segmentation, segment
from keras_segformer.predict.sizes import SizeChoice
from keras_segformer.predict.views import MAX_PIXELS

__all__ = ["MAX_PIXELS", "Segmentation", "SizeChoice", "segment"]
