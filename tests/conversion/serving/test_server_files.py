"""Configuration files of model servers."""

from __future__ import annotations

import pytest

from keras_segformer.cli import main
from keras_segformer.conversion.serving.server_files import server_files

INPUTS = {"images": {"shape": [None, None, None, 3], "dtype": "uint8"}}
OUTPUTS = {
    "logits": {"shape": ["batch", "ceil(height/4)", "ceil(width/4)", 11], "dtype": "float32"},
    "labels": {"shape": [None, None, None], "dtype": "int32"},
}

TRITON = """name: "segformer"
backend: "onnxruntime"
max_batch_size: 8
input {
  name: "images"
  data_type: TYPE_UINT8
  dims: [ -1, -1, 3 ]
}
output {
  name: "logits"
  data_type: TYPE_FP32
  dims: [ -1, -1, 11 ]
}
output {
  name: "labels"
  data_type: TYPE_INT32
  dims: [ -1, -1 ]
}
dynamic_batching {
  max_queue_delay_microseconds: 2000
}
"""


def test_triton():
    assert server_files("triton", "segformer", True, INPUTS, OUTPUTS) == {"config.pbtxt": TRITON}
    [content] = server_files("triton", "segformer", False, INPUTS, OUTPUTS).values()
    assert content == TRITON.replace('backend: "onnxruntime"', 'platform: "tensorflow_savedmodel"')


def test_tensorflow_serving():
    files = server_files("tf-serving", "segformer", False, INPUTS, OUTPUTS)
    assert 'base_path: "/models/segformer"' in files["models.config"]
    assert "max_batch_size { value: 8 }" in files["batching.config"]


def test_kserve():
    yaml = pytest.importorskip("yaml", reason="the extra `data` is not installed")
    service = yaml.safe_load(server_files("kserve", "my_model", True, INPUTS, OUTPUTS)["inference_service.yaml"])
    assert service["metadata"]["name"] == "my-model"
    assert service["spec"]["predictor"]["model"]["modelFormat"] == {"name": "onnx"}


def test_the_schema_of_triton():
    schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="tritonclient is not installed")
    from google.protobuf import text_format

    config = text_format.Parse(TRITON, schema.ModelConfig())
    assert [list(each.dims) for each in config.output] == [[-1, -1, 11], [-1, -1]]


def test_the_schema_of_tensorflow_serving():
    schema = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2", reason="its API is not installed")
    from google.protobuf import text_format

    content = server_files("tf-serving", "segformer", False, INPUTS, OUTPUTS)["models.config"]
    [config] = text_format.Parse(content, schema.ModelServerConfig()).model_config_list.config
    assert config.model_platform == "tensorflow"


def test_the_command(preset, tmp_path, capsys):
    pytest.importorskip("onnx")
    folder = tmp_path / "models/segformer"
    line = ["export", "--preset", preset, "--output", str(folder), "--server"]
    assert main([*line, "tf-serving", "--format", "onnx"]) == 2
    assert "SavedModels alone" in capsys.readouterr().err
    assert main([*line, "triton", "--format", "tflite"]) == 2
    assert main([*line, "triton", "--format", "onnx", "--output-kind", "labels_full"]) == 0
    assert (folder / "1/model.onnx").is_file()
    assert 'name: "labels_full"\n  data_type: TYPE_INT32\n  dims: [ -1, -1 ]' in (folder / "config.pbtxt").read_text()
