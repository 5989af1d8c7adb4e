from .catalogue import PRESETS as PRESETS
from .catalogue import PresetInfo as PresetInfo
from .keras_folder import save_keras_folder as save_keras_folder
from .loading import load_encoder as load_encoder
from .loading import load_segmenter as load_segmenter
from .transformers_folder import save_transformers_folder as save_transformers_folder
from .upload import upload_preset as upload_preset
