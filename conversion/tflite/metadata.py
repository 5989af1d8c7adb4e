"""TFLite metadata: the description of a file that Android Studio and the task libraries read.

Source of the layout: metadata_schema.fbs 1.5.0 of tflite-support. That package, whose writer could be used instead, has
no wheel for Python 3.12 and newer, and MediaPipe's writer comes with OpenCV and matplotlib. The few tables that are
needed are therefore laid out here, with the methods of `flatbuffers.Builder` that generated code calls.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np

from keras_segformer.licenses import License

from ..clients import MASK_VALUES
from .writer import pack, set_metadata, unpack

_ENTRY = b"TFLITE_METADATA"
_IDENTIFIER = b"M001"
_PARSER_VERSION = "1.0.0"
LABEL_FILE = "labels.txt"
FACTS_FILE = "facts.json"
# Numbers of the schema's enumerations.
_TENSOR_AXIS_LABELS, _TENSOR_VALUE_LABELS, _DESCRIPTIONS = 2, 3, 1
_IMAGE_PROPERTIES, _FEATURE_PROPERTIES = 2, 1
_RGB = 1
_NORMALIZATION = 1
_NO_ACTIVATION, _SIGMOID, _SOFTMAX = 0, 1, 2
# What MediaPipe reads beside the metadata: image_segmenter_metadata_schema.fbs 1.0.0 of mediapipe.
_SEGMENTER_ENTRY = "SEGMENTER_METADATA"
_SEGMENTER_IDENTIFIER = b"V001"
_ALIGNMENT = 16  # of a flatbuffer in another


def with_metadata(content: bytes, facts: dict[str, Any]) -> bytes:
    """Add metadata to a file, and append the names of the classes and all facts as a zip archive.

    Args:
        content: The file.
        facts: The content of the JSON file beside it, without the size and checksum of the file.

    Returns:
        The file. Readers of flatbuffers ignore the archive behind it, and readers of archives what is before it.
    """
    model = unpack(content)
    set_metadata(model, _ENTRY, _model_metadata(facts))
    archive = io.BytesIO(pack(model))
    # Stored, not compressed, because Android maps the files; with a fixed date, so that the output is reproducible.
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as files:
        for name, text in (
            (LABEL_FILE, "\n".join(facts["label_set"]["names"]) + "\n"),
            (FACTS_FILE, json.dumps(facts, indent=2, ensure_ascii=False) + "\n"),
        ):
            files.writestr(zipfile.ZipInfo(name), text)
    return archive.getvalue()


def _model_metadata(facts: dict[str, Any]) -> bytes:
    builder = flatbuffers.Builder(1024)
    batch, height, width, _ = facts["input"]["shape"]
    pictures = "A picture" if batch == 1 else f"{batch} pictures"
    size = "Other sizes: resize this tensor first." if facts["input"]["resizable"] else "The size is fixed."
    image = _tensor(
        builder,
        name="images",
        description=f"{pictures}, RGB on the scale 0..255, {height}x{width} pixels. {size}",
        content=_content(builder, _IMAGE_PROPERTIES, _table(builder, _RGB_ONLY)),
        # The normalisation is part of the network.
        units=[_unit(builder, mean=[0.0], std=[1.0])],
    )
    channels = facts["output"]["shape"][3:]
    # Clients look for the names of an axis; the values of labels have names of their own.
    kind = _TENSOR_AXIS_LABELS if channels else _TENSOR_VALUE_LABELS
    labels = _file(builder, LABEL_FILE, "Names of the classes, one in a line.", kind)
    result = _tensor(
        builder,
        name=facts["output"]["kind"],
        description=_description(facts["output"], (height, width)),
        content=_content(builder, _FEATURE_PROPERTIES, _table(builder, [])),
        files=[labels],
    )
    graph = _table(
        builder,
        [
            *(None, None, _offsets(builder, [image]), _offsets(builder, [result]), None, None, None, None, None),
            _offsets(builder, [_segmenter_options(builder, facts["output"])]) if channels else None,
        ],
    )
    facts_file = _file(builder, FACTS_FILE, "Classes, colours, sizes, operations, licence.", _DESCRIPTIONS)
    fields = [
        builder.CreateString("SegFormer"),
        builder.CreateString(f"Semantic segmentation into {len(facts['label_set']['names'])} classes."),
        builder.CreateString(facts["written_by"]["keras-segformer"]),
        _offsets(builder, [graph]),
        builder.CreateString("keras-segformer"),
        builder.CreateString(License(**facts["license"]).terms) if facts["license"] else None,
        _offsets(builder, [facts_file]),
        builder.CreateString(_PARSER_VERSION),
    ]
    builder.Finish(_table(builder, fields), _IDENTIFIER)
    return bytes(builder.Output())


def _description(output: dict[str, Any], input_size: tuple[int, int]) -> str:
    """What the output is, where, and which clients misread it."""
    kind, size, channels = output["kind"], output["shape"][1:3], output["shape"][3:]
    meaning, clients = _MEANINGS[kind], _CLIENTS.get(kind, "")
    if kind == "logits" and channels == [1]:
        meaning, clients = _ONE_LOGIT, _CLIENTS["labels"]
    elif channels and channels[0] > MASK_VALUES:
        clients = f"{clients} {_TOO_MANY}"
    is_quarter = size == [-(-side // 4) for side in input_size]
    place = "every fourth pixel" if is_quarter else f"each of {size[0]}x{size[1]} positions"
    return f"{meaning} at {'every pixel' if kind == 'labels_full' else place}. {clients}".strip()


_TOO_MANY = f"Category masks of MediaPipe Tasks have {MASK_VALUES} classes at most; read confidence masks."
_ONE_LOGIT = "The logit of class 1, which is seen where it is above 0,"
_MEANINGS = {
    "labels": "The number of the class",
    "labels_full": "The number of the class",
    "logits": "The logit of every class",
    "probabilities": "The probability of every class",
}
_CLIENTS = {
    "labels": "MediaPipe Tasks and the Task Library need probabilities instead.",
    "labels_full": "MediaPipe Tasks and the Task Library need probabilities instead.",
    "logits": "The Task Library needs probabilities instead.",
}
_RGB_ONLY = [np.int8(_RGB)]


def _segmenter_options(builder: flatbuffers.Builder, output: dict[str, Any]) -> int:
    """The entry that says which activation MediaPipe has to apply to the output."""
    activation = _NO_ACTIVATION
    if output["kind"] == "logits":
        activation = _SOFTMAX if output["shape"][3] > 1 else _SIGMOID
    inner = flatbuffers.Builder(64)
    inner.Finish(_table(inner, [np.int8(activation), inner.CreateString(_PARSER_VERSION)]), _SEGMENTER_IDENTIFIER)
    content = np.frombuffer(bytes(inner.Output()), np.uint8)
    name = builder.CreateString(_SEGMENTER_ENTRY)
    builder.Prep(_ALIGNMENT, content.nbytes)
    return _table(builder, [name, builder.CreateNumpyVector(content)])


def _table(builder: flatbuffers.Builder, fields: Sequence[Any]) -> int:
    """A table of fields in the order of the schema: offsets, 8-bit numbers, or `None` for fields left out."""
    builder.StartObject(len(fields))
    for slot, value in enumerate(fields):
        if isinstance(value, np.int8):
            builder.PrependInt8Slot(slot, int(value), 0)
        elif value is not None:
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
    return builder.EndObject()


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _numbers(builder: flatbuffers.Builder, numbers: Sequence[float]) -> int:
    return builder.CreateNumpyVector(np.asarray(numbers, np.float32))


def _file(builder: flatbuffers.Builder, name: str, description: str, kind: int) -> int:
    return _table(builder, [builder.CreateString(name), builder.CreateString(description), np.int8(kind)])


def _content(builder: flatbuffers.Builder, kind: int, properties: int) -> int:
    return _table(builder, [np.int8(kind), properties])


def _unit(builder: flatbuffers.Builder, mean: Sequence[float], std: Sequence[float]) -> int:
    options = _table(builder, [_numbers(builder, mean), _numbers(builder, std)])
    return _table(builder, [np.int8(_NORMALIZATION), options])


def _tensor(
    builder: flatbuffers.Builder,
    name: str,
    description: str,
    content: int,
    units: Sequence[int] = (),
    files: Sequence[int] = (),
) -> int:
    return _table(
        builder,
        [
            builder.CreateString(name),
            builder.CreateString(description),
            None,
            content,
            _offsets(builder, units) if units else None,
            None,
            _offsets(builder, files) if files else None,
        ],
    )
