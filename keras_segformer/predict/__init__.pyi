from .logits import MAX_PIXELS as MAX_PIXELS
from .segment import Segmentation as Segmentation
from .segment import segment as segment
from .sizes import SizeChoice as SizeChoice
