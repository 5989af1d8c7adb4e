"""The arguments of the commands, a module each. None imports Keras or TensorFlow: help and completion come at once."""

from __future__ import annotations

from keras_segformer.cli.parsers import (
    android,
    audit,
    benchmark,
    convert,
    data,
    evaluate,
    info,
    predict,
    presets,
    train,
    upload,
    verify,
)

COMMANDS = (predict, train, evaluate, convert, audit, verify, benchmark, android, data, presets, info, upload)
