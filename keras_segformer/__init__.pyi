from . import analysis as analysis
from . import conversion as conversion
from . import data as data
from . import errors as errors
from . import evaluation as evaluation
from . import images as images
from . import layers as layers
from . import platforms as platforms
from . import predict as predict
from . import training as training
from . import visualization as visualization
from .label_sets import LabelSet as LabelSet
from .label_sets import label_set_names as label_set_names
from .label_sets import load_label_set as load_label_set
from .licenses import License as License
from .models.config import MixTransformerConfig as MixTransformerConfig
from .models.config import SegFormerConfig as SegFormerConfig
from .models.mix_transformer import MixTransformer as MixTransformer
from .models.mlp_decoder import MLPDecoder as MLPDecoder
from .models.variants import VARIANTS as VARIANTS
from .presets.catalogue import PRESETS as PRESETS
from .presets.catalogue import PresetInfo as PresetInfo
from .presets.catalogue import list_presets as list_presets
from .presets.loading import load_encoder as load_encoder
from .presets.upload import upload_preset as upload_preset
from .segformer import SegFormer as SegFormer

__version__: str
