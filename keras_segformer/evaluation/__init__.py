"""Scores of label maps, and how models earn them.

`evaluate` scores a model on a data set: it counts into a `ConfusionMatrix` (`confusion`), and into `BoundaryIoU`
(`boundary`). `MeanIoU`, `MeanAccuracy`, `FrequencyWeightedIoU`, `PixelAccuracy` (`metric`) and `MeanBoundaryIoU`
(`boundary_metric`) are the same scores as Keras metrics. `draw_evaluation` (`figure`) shows an evaluation.
"""

from keras_segformer.evaluation.boundary import BoundaryIoU
from keras_segformer.evaluation.boundary_metric import MeanBoundaryIoU
from keras_segformer.evaluation.class_mapping import ClassMapping
from keras_segformer.evaluation.confusion import ConfusionMatrix, Scores
from keras_segformer.evaluation.evaluate import Evaluation, ImageScore, SegmentedImage, evaluate
from keras_segformer.evaluation.figure import draw_evaluation
from keras_segformer.evaluation.metric import FrequencyWeightedIoU, MeanAccuracy, MeanIoU, PixelAccuracy
from keras_segformer.evaluation.tflite import TFLiteModel

__all__ = [
    "BoundaryIoU",
    "ClassMapping",
    "ConfusionMatrix",
    "Evaluation",
    "FrequencyWeightedIoU",
    "ImageScore",
    "MeanAccuracy",
    "MeanBoundaryIoU",
    "MeanIoU",
    "PixelAccuracy",
    "Scores",
    "SegmentedImage",
    "TFLiteModel",
    "draw_evaluation",
    "evaluate",
]
