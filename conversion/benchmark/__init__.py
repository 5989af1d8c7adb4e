"""Time and memory of TF Lite files, measured on this machine."""

from keras_segformer.conversion.benchmark.files import FileFigures, benchmark
from keras_segformer.conversion.benchmark.memory import run_in_process, smallest_limit
from keras_segformer.conversion.benchmark.profile import profile

__all__ = ["FileFigures", "benchmark", "profile", "run_in_process", "smallest_limit"]
