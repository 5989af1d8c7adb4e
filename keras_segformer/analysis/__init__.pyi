from .cnn_encoders import (
    CNNBackbone as CNNBackbone,
)
from .cnn_encoders import (
    cnn_backbone as cnn_backbone,
)
from .complexity import (
    Complexity as Complexity,
)
from .complexity import (
    Cost as Cost,
)
from .complexity import (
    count_complexity as count_complexity,
)
from .complexity import (
    paper_macs as paper_macs,
)
from .corrupted_scores import (
    CorruptedPicture as CorruptedPicture,
)
from .corrupted_scores import (
    Robustness as Robustness,
)
from .corrupted_scores import (
    corrupted_pictures as corrupted_pictures,
)
from .corrupted_scores import (
    robustness as robustness,
)
from .corruptions import (
    corrupt as corrupt,
)
from .cost_scaling import Dominance as Dominance
from .cost_scaling import Measurement as Measurement
from .cost_scaling import ScalingPoint as ScalingPoint
from .cost_scaling import attention_dominates as attention_dominates
from .cost_scaling import scaling as scaling
from .cost_scaling import slopes as slopes
from .cost_scaling_figure import draw_scaling as draw_scaling
from .forward_pass import measure_keras as measure_keras
from .paper_ablations import AblationCost as AblationCost
from .paper_ablations import ablation_costs as ablation_costs
from .receptive_field import (
    ReceptiveField as ReceptiveField,
)
from .receptive_field import (
    effective_receptive_field as effective_receptive_field,
)
from .receptive_field_figure import (
    draw_receptive_fields as draw_receptive_fields,
)
from .robustness_figure import (
    draw_robustness as draw_robustness,
)
