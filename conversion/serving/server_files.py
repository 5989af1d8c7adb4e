"""The configuration files of model servers, for the models that `keras-segformer export` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_segformer.conversion.choices import ServerName

MAX_BATCH = 8
"""Pictures that a server gives to the network together at most."""

_DELAY = 2_000  # microseconds for which a picture waits for others of its size
_TRITON_TYPES = {"uint8": "TYPE_UINT8", "float32": "TYPE_FP32", "int32": "TYPE_INT32"}

Tensors = Mapping[str, Mapping[str, Any]]


def server_files(server: ServerName, name: str, is_onnx: bool, inputs: Tensors, outputs: Tensors) -> dict[str, str]:
    """Writes what a server is to know about a model.

    Args:
        server: The server.
        name: What it is to call the model.
        is_onnx: Whether the model is an ONNX file rather than a SavedModel.
        inputs: `shape` and `dtype` of every input by its name; the first entry of a shape is the batch.
        outputs: Likewise.

    Returns:
        The content of files by their names in the folder of the model, beside the folder `1` of its first version.

    Example:

    >>> tensor = {"images": {"shape": [None, None, None, 3], "dtype": "uint8"}}
    >>> list(server_files("triton", "segformer", True, tensor, {"labels": {"shape": [None, 8, 8], "dtype": "int32"}}))
    ['config.pbtxt']
    """
    if server == "tf-serving":
        return {"models.config": _tf_serving(name), "batching.config": _TF_SERVING_BATCHING}
    if server == "triton":
        return {"config.pbtxt": _triton(name, is_onnx, inputs, outputs)}
    return {"inference_service.yaml": _kserve(name, is_onnx), "config.pbtxt": _triton(name, is_onnx, inputs, outputs)}


_TF_SERVING_BATCHING = f"""max_batch_size {{ value: {MAX_BATCH} }}
batch_timeout_micros {{ value: {_DELAY} }}
num_batch_threads {{ value: 2 }}
"""


def _tf_serving(name: str) -> str:
    return f"""model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
  }}
}}
"""


def _triton(name: str, is_onnx: bool, inputs: Tensors, outputs: Tensors) -> str:
    platform = 'backend: "onnxruntime"' if is_onnx else 'platform: "tensorflow_savedmodel"'
    return f"""name: "{name}"
{platform}
max_batch_size: {MAX_BATCH}
{_triton_tensors("input", inputs)}{_triton_tensors("output", outputs)}dynamic_batching {{
  max_queue_delay_microseconds: {_DELAY}
}}
"""


def _triton_tensors(kind: str, tensors: Tensors) -> str:
    return "".join(
        f"""{kind} {{
  name: "{name}"
  data_type: {_TRITON_TYPES[tensor["dtype"]]}
  dims: [ {", ".join(str(each) if isinstance(each, int) else "-1" for each in tensor["shape"][1:])} ]
}}
"""
        for name, tensor in tensors.items()
    )


def _kserve(name: str, is_onnx: bool) -> str:
    # KServe's own runtime for both formats is Triton, by its protocol of version 2.
    kind = "onnx" if is_onnx else "tensorflow"
    return f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name.replace("_", "-").lower()}
spec:
  predictor:
    model:
      modelFormat:
        name: {kind}
      runtime: kserve-tritonserver
      protocolVersion: v2
      storageUri: s3://my-bucket/models
      resources:
        limits:
          memory: 4Gi
"""
