"""Files whose arithmetic is done in integers where that costs little accuracy."""

from .calibration import Calibration, make_calibration
from .fine_tune import fine_tune
from .plans import PLANS
from .quantization_recipe import Recipe
from .quantize_file import Request, quantize_file

__all__ = ["PLANS", "Calibration", "Recipe", "Request", "fine_tune", "make_calibration", "quantize_file"]
