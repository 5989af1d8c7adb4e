from .boundary import BoundaryIoU as BoundaryIoU
from .boundary_metric import MeanBoundaryIoU as MeanBoundaryIoU
from .class_mapping import ClassMapping as ClassMapping
from .class_mapping import class_mapping_names as class_mapping_names
from .confusion import ConfusionMatrix as ConfusionMatrix
from .confusion import Scores as Scores
from .evaluate import (
    Evaluation as Evaluation,
)
from .evaluate import (
    ImageScore as ImageScore,
)
from .evaluate import (
    SegmentedImage as SegmentedImage,
)
from .evaluate import (
    evaluate as evaluate,
)
from .figure import draw_evaluation as draw_evaluation
from .metric import (
    FrequencyWeightedIoU as FrequencyWeightedIoU,
)
from .metric import (
    MeanAccuracy as MeanAccuracy,
)
from .metric import (
    MeanIoU as MeanIoU,
)
from .metric import (
    PixelAccuracy as PixelAccuracy,
)
from .tflite import TFLiteModel as TFLiteModel
