"""Run a compiled file of one partition on the emulator of Qualcomm's HTP, on which there is nothing but the NPU's code.

python qualcomm_emulator.py FILE IMAGES.npy OUTPUTS.npy
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import onnxruntime_qnn
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers
from onnx import TensorProto, helper

TYPES = {
    schema.TensorType.FLOAT32: (TensorProto.FLOAT, np.float32),
    schema.TensorType.INT32: (TensorProto.INT32, np.int32),
    schema.TensorType.UINT8: (TensorProto.UINT8, np.uint8),
}
PROVIDER = "QNNExecutionProvider"


def read_partition(content):
    """The tensors of the only operation, its name and the NPU's program, which lies behind the flatbuffer."""
    graph = schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0]
    [operator] = graph.operators
    options = flexbuffers.Loads(bytes(bytearray(operator.customOptions)))
    start = options["bytecode_offset"]
    [source], [result] = operator.inputs, operator.outputs
    program = content[start : start + options["bytecode_size"]]
    return graph.tensors[source], graph.tensors[result], options["name"], program


def as_onnx(source, result, name, program):
    """The program as the only node of an ONNX model, which is how ONNX Runtime takes it."""
    values = [
        helper.make_tensor_value_info(tensor.name.decode(), TYPES[tensor.type][0], [int(n) for n in tensor.shape])
        for tensor in (source, result)
    ]
    node = helper.make_node(
        "EPContext",
        [source.name.decode()],
        [result.name.decode()],
        name=name,
        domain="com.microsoft",
        embed_mode=1,
        main_context=1,
        source="Qnn",
        partition_name=name,
        ep_cache_context=program,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph([node], "npu", values[:1], values[1:])
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def open_session(path):
    onnxruntime.register_execution_provider_library(PROVIDER, onnxruntime_qnn.get_library_path())
    devices = [device for device in onnxruntime.get_ep_devices() if device.ep_name == PROVIDER]
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_provider_for_devices(devices[:1], {"backend_path": onnxruntime_qnn.get_qnn_htp_path()})
    return onnxruntime.InferenceSession(path, options)


def main(file, images, outputs):
    source, result, name, program = read_partition(Path(file).read_bytes())
    path = f"{outputs}.onnx"
    onnx.save(as_onnx(source, result, name, program), path)
    session = open_session(path)
    dtype = TYPES[source.type][1]
    maps = [session.run(None, {source.name.decode(): image[None].astype(dtype)})[0] for image in np.load(images)]
    np.save(outputs, np.concatenate(maps))


main(*sys.argv[1:])
