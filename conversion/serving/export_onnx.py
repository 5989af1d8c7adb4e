"""Writes ONNX files."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, get_args

from keras_segformer.errors import MissingExtraError
from keras_segformer.files import write_file
from keras_segformer.models import SegFormerNetwork

from ..choices import InputKind, OutputKind
from ..fold import fold_batch_norm, fold_normalization, fold_single_head
from ..graph.network import Network
from ..graph.weights import read_network
from ..model_facts import model_facts
from ..options import check_choice

OPSET = 17
"""The first with LayerNormalization, which keeps a norm in one operation."""

MINIMUM_RUNTIME = "ONNX Runtime 1.12"
"""The first that knows this opset."""


def export_onnx(
    model: SegFormerNetwork,
    path: str | os.PathLike[str],
    input: InputKind = "uint8",
    output: OutputKind = "logits",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Export a model as an ONNX file for any batch and image size.

    The graph is built from the folded network rather than traced: that keeps sizes open, norms in one operation each,
    and GELU in operations that ONNX Runtime has. (tf2onnx and `model.export(format="onnx")` write an operation `Erfc`,
    which ONNX does not have.) Encoders other than MiT and PVTv2 are translated as they are by tf2onnx, with
    `Erf` in its place.

    Args:
        model: A segmentation model with any backbone. It is not modified.
        path: The file to write; its name must end in `.onnx`.
        input: Data type of the input `images`, `(batch, height, width, 3)`, RGB in 0..255, with sides of at least 32
            pixels. The normalisation is part of the file.
        output: What the file outputs, under this name.
            - `"logits"`: `(batch, ceil(height / 4), ceil(width / 4), classes)`, float32; of other backbones than
              MiT and PVTv2 at the size of the finest feature map.
            - `"probabilities"`: their softmax.
            - `"labels"`: class indices at a quarter of the size, int32.
            - `"labels_full"`: class indices at the size of the input, int32, computed from enlarged logits.
        overwrite: Whether an existing file is replaced.

    Returns:
        The facts in the file's metadata, where each is a text under its own key (JSON unless it is a text already):
        the label set, input and output, opset, oldest runtime, licence, versions of the packages, and the SHA-256 of
        the graph without the metadata. Beside these, the size in bytes and the SHA-256 of the file.

    Raises:
        MissingExtraError: The package `onnx` is not installed, or `tf2onnx` and `onnxruntime`, which other backbones
            need.
        FileExistsError: The file exists, and `overwrite` was not asked for.
        ValueError: The name does not end in `.onnx`, there is no such kind of input or output, a backbone has an
            operation that ONNX does not have or is translated wrongly, or a weight is not finite.

    Example:

    >>> import tempfile
    >>> from keras_segformer import VARIANTS, SegFormer
    >>> facts = export_onnx(SegFormer(VARIANTS["b0"]), Path(tempfile.mkdtemp()) / "b0.onnx", output="labels")
    >>> facts["output"]["shape"]
    ['batch', 'ceil(height/4)', 'ceil(width/4)']
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"The file to write is '{path}'; give it a name that ends in .onnx.")
    check_choice("input", input, get_args(InputKind))
    check_choice("output", output, get_args(OutputKind))
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; pass `overwrite=True` or choose another name.")
    network = _fold(read_network(model))
    graph = _graph(network, input, output)
    facts = {
        **model_facts(model),
        "input": {"shape": ["batch", "height", "width", 3], "dtype": input, "colors": "RGB", "range": [0, 255]},
        "output": {
            "kind": output,
            "shape": _output_shape(network, output),
            "dtype": "int32" if output in ("labels", "labels_full") else "float32",
        },
        "opset": OPSET,
        "minimum_runtime": MINIMUM_RUNTIME,
        "graph_sha256": hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest(),
    }
    content = _with_metadata(graph, facts)
    write_file(path, content)
    return facts | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _fold(network: Network) -> Network:
    # Not the folds of layer norms: ONNX computes a norm in one operation, with its affine map.
    for fold in (fold_normalization, fold_single_head, fold_batch_norm):
        network = fold(network)
    return network


def _output_shape(network: Network, output: OutputKind) -> list[str | int]:
    # How other encoders round sides is theirs.
    small = ["rows", "columns"] if network.foreign else ["ceil(height/4)", "ceil(width/4)"]
    size = ["height", "width"] if output == "labels_full" else small
    classes = network.decoder.classifier.bias.size
    channels = {"logits": [classes], "probabilities": [max(2, classes)]}
    return ["batch", *size, *channels.get(output, [])]


def _graph(network: Network, input: InputKind, output: OutputKind) -> Any:
    try:
        from onnx import TensorProto, helper

        from .onnx_builder import OnnxBuilder
        from .onnx_network import add_network
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnx", "onnx") from error
    builder = OnnxBuilder()
    pixels = "images" if input == "float32" else builder.add("Cast", "images", to=TensorProto.FLOAT)
    add_network(builder, pixels, network, output, OPSET)
    input_type = TensorProto.FLOAT if input == "float32" else TensorProto.UINT8
    output_type = TensorProto.INT32 if output in ("labels", "labels_full") else TensorProto.FLOAT
    shape = _output_shape(network, output)
    return helper.make_graph(
        builder.nodes,
        "segformer",
        [helper.make_tensor_value_info("images", input_type, ["batch", "height", "width", 3])],
        [helper.make_tensor_value_info(output, output_type, shape)],
        builder.weights,
    )


def _with_metadata(graph: Any, facts: dict[str, Any]) -> bytes:
    from onnx import checker, helper

    from .onnx_builder import IR_VERSION

    model = helper.make_model(
        graph,
        producer_name="keras-segformer",
        producer_version=facts["written_by"]["keras-segformer"],
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, {key: _text(value) for key, value in facts.items()})
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
