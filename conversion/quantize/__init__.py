"""Quantisation: files that compute in integers where that costs little accuracy."""

from .calibration import Calibration, make_calibration
from .plans import PLANS
from .quantization_recipe import QuantizationRecipe
from .quantize_network import QuantizationOptions, quantize_network

__all__ = [
    "PLANS",
    "Calibration",
    "QuantizationOptions",
    "QuantizationRecipe",
    "make_calibration",
    "quantize_network",
]
