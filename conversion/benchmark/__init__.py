"""Measurement of the time and memory of TF Lite files on this machine."""

from .compare_files import FileFigures, benchmark
from .process_memory import run_in_process, smallest_limit
from .profile import profile

__all__ = ["FileFigures", "benchmark", "profile", "run_in_process", "smallest_limit"]
