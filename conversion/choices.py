"""What `convert` can be asked for by name, in a module that imports nothing heavy: the program's help shows it."""

from __future__ import annotations

from typing import Literal

AnyPrecision = Literal["float32", "float16", "dynamic", "int8", "int8_npu", "int8_mcu", "int16x8"]
InputKind = Literal["uint8", "float32"]
OutputKind = Literal["labels", "labels_full", "logits", "probabilities"]
ExportFormat = Literal["onnx", "savedmodel", "tflite"]
ServerName = Literal["tf-serving", "triton", "kserve"]
ClientName = Literal["app", "mediapipe", "task-library", "gpu", "npu", "mcu", "ethos-u", "coral"]

Runtime = Literal["litert", "tflite-2.16", "ethos-u"]
"""The runtime for a file: LiteRT (TF Lite 2.17 and newer), TF Lite up to 2.16, whose kernels for dynamic INT8 are slow,
or the NPU Ethos-U of microcontrollers."""
