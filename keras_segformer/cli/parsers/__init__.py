"""The arguments of the commands, a module each. None imports Keras or TensorFlow: help and completion come at once."""

from __future__ import annotations

COMMANDS = (
    "predict",
    "label",
    "serve",
    "train",
    "evaluate",
    "convert",
    "export",
    "audit",
    "verify",
    "benchmark",
    "android",
    "web",
    "data",
    "presets",
    "info",
    "analyze",
    "upload",
)
"""The names of the commands in the order of the help, which are those of the modules."""
