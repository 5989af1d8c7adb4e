"""Files whose arithmetic is done in integers where that costs little accuracy."""

from keras_segformer.conversion.quantize.calibration import Calibration, make_calibration
from keras_segformer.conversion.quantize.fine_tune import fine_tune
from keras_segformer.conversion.quantize.pipeline import Request, quantize_file
from keras_segformer.conversion.quantize.plans import PLANS, Runtime
from keras_segformer.conversion.quantize.recipe import Recipe

__all__ = ["PLANS", "Calibration", "Recipe", "Request", "Runtime", "fine_tune", "make_calibration", "quantize_file"]
