"""Scores of label maps, and how models earn them.

`evaluate` scores a model on a data set: it counts into a `ConfusionMatrix` (`confusion`), and into `BoundaryIoU`
(`boundary`). `MeanIoU`, `MeanAccuracy`, `FrequencyWeightedIoU`, `PixelAccuracy` (`metric`) and `MeanBoundaryIoU`
(`boundary_metric`) are the same scores as Keras metrics. `draw_evaluation` (`figure`) shows an evaluation.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
