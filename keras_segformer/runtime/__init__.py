"""Running TF Lite files, in this process or, for files of unknown origin, in a process of their own."""

from keras_segformer.runtime.isolated_runner import IsolatedRunner
from keras_segformer.runtime.runner import TensorDetails, TFLiteRunner

__all__ = ["IsolatedRunner", "TFLiteRunner", "TensorDetails"]
