from .cnn_encoders import (
    CNNBackbone as CNNBackbone,
)
from .cnn_encoders import (
    cnn_backbone as cnn_backbone,
)
from .receptive_field import (
    ReceptiveField as ReceptiveField,
)
from .receptive_field import (
    effective_receptive_field as effective_receptive_field,
)
from .receptive_field_figure import (
    draw_receptive_fields as draw_receptive_fields,
)
