"""uint8 pixels in a form that every accelerator reads as numbers."""

from __future__ import annotations

from .schema import schema
from .writer import pack, unpack


def scale_pixels(content: bytes) -> bytes:
    """Replace the CAST of uint8 pixels to floats by a DEQUANTIZE of pixels with the scale 1.

    Both compute the same floats, and XNNPACK runs only the latter. Qualcomm's HTP reads a CAST of uint8 as a CAST of
    booleans: every pixel that is not 0 becomes 1, and no label is right (seen with QNN of onnxruntime-qnn 2.7). It
    reads tensors with a scale correctly, and so do NNAPI and GPUs.

    Args:
        content: The file.

    Returns:
        A file of the same function; the file itself if its input is not uint8 that is cast.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    pixels = graph.inputs[0]
    readers = [each for each in graph.operators if pixels in each.inputs]
    casts = [each for each in readers if _builtin(model, each) == schema.BuiltinOperator.CAST]
    if graph.tensors[pixels].type != schema.TensorType.UINT8 or len(casts) < len(readers):
        return content
    graph.tensors[pixels].quantization = _scale_of_one()
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    code.version = 1
    for each in casts:
        each.opcodeIndex = len(model.operatorCodes)
        each.builtinOptionsType, each.builtinOptions = schema.BuiltinOptions.NONE, None
    model.operatorCodes.append(code)
    _drop_unused_codes(model)
    return pack(model)


def _builtin(model: schema.ModelT, operator: schema.OperatorT) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _scale_of_one() -> schema.QuantizationParametersT:
    parameters = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = [1.0], [0]
    return parameters


def _drop_unused_codes(model: schema.ModelT) -> None:
    used = sorted({each.opcodeIndex for graph in model.subgraphs for each in graph.operators})
    for graph in model.subgraphs:
        for each in graph.operators:
            each.opcodeIndex = used.index(each.opcodeIndex)
    model.operatorCodes = [model.operatorCodes[index] for index in used]
