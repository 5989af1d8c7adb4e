from .config import MixTransformerConfig as MixTransformerConfig
from .config import SegFormerConfig as SegFormerConfig
from .mix_transformer import MixTransformer as MixTransformer
from .mlp_decoder import MLPDecoder as MLPDecoder
from .segformer import SegFormerNetwork as SegFormerNetwork
from .variants import VARIANTS as VARIANTS
