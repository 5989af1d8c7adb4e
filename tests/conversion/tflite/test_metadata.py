"""Metadata inside of files; test_old_runtime.py reads them with the official reader."""

from __future__ import annotations

import json
import zipfile

import pytest
from flatbuffers.table import Table

from keras_segformer.conversion import audit, convert
from keras_segformer.conversion.tflite.metadata import FACTS_FILE, LABEL_FILE
from keras_segformer.conversion.tflite.writer import unpack


@pytest.fixture(scope="module")
def file_and_facts(converted):
    return converted("tiny", input_size=(64, 96), report=False)


def test_classes_and_facts(file_and_facts, tiny):
    file, facts = file_and_facts
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.read(LABEL_FILE).decode().splitlines() == list(tiny.label_set.names)
        inside = json.loads(archive.read(FACTS_FILE))
    assert inside == {name: value for name, value in facts.items() if name not in ("bytes", "sha256")}


def test_entry(file_and_facts):
    file, facts = file_and_facts
    model = unpack(file.read_bytes())
    entries = {entry.name: model.buffers[entry.buffer].data.tobytes() for entry in model.metadata}
    assert entries[b"TFLITE_METADATA"][4:8] == b"M001"
    assert entries[b"min_runtime_version"].rstrip(b"\0").decode() == facts["minimum_runtime"]


def test_file_is_the_same_each_time(file_and_facts, tiny, tmp_path):
    file, facts = file_and_facts
    again = convert(tiny, tmp_path / "n.tflite", input_size=(64, 96), report=False)
    assert again == facts
    assert (tmp_path / "n.tflite").read_bytes() == file.read_bytes()
    assert not audit(file.read_bytes()).faults


@pytest.mark.parametrize(("output", "labels", "activation"), [("probabilities", 2, 0), ("logits", 2, 2)])
def test_what_mediapipe_reads(converted, output, labels, activation):
    file, _ = converted("tiny", input_size=(64, 96), output=output, report=False)
    graph = graph_metadata(file.read_bytes())
    [result] = tables(graph, 3)
    [names] = tables(result, 6)
    assert number(names, 2) == labels  # names of an axis
    [entry] = tables(graph, 9)
    assert entry.String(entry.Offset(4) + entry.Pos) == b"SEGMENTER_METADATA"
    offset = entry.Offset(6)
    start, length = entry.Vector(offset), entry.VectorLen(offset)
    assert start % 16 == 0
    content = bytes(entry.Bytes[start : start + length])
    assert content[4:8] == b"V001"
    options = Table(content, int.from_bytes(content[:4], "little"))
    assert number(options, 0) == activation


def test_labels_have_names_for_values_and_a_warning(file_and_facts):
    graph = graph_metadata(file_and_facts[0].read_bytes())
    [result] = tables(graph, 3)
    [names] = tables(result, 6)
    assert number(names, 2) == 3
    assert b"need probabilities instead" in result.String(result.Offset(6) + result.Pos)
    assert not graph.Offset(4 + 2 * 9)


def graph_metadata(content: bytes) -> Table:
    model = unpack(content)
    [entry] = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    metadata = model.buffers[entry.buffer].data.tobytes()
    [graph] = tables(Table(metadata, int.from_bytes(metadata[:4], "little")), 3)
    return graph


def tables(table: Table, slot: int) -> list[Table]:
    """The tables of a vector in a field."""
    offset = table.Offset(4 + 2 * slot)
    start = table.Vector(offset)
    return [Table(table.Bytes, table.Indirect(start + 4 * index)) for index in range(table.VectorLen(offset))]


def number(table: Table, slot: int) -> int:
    """An 8-bit number in a field; 0 where it is left out."""
    offset = table.Offset(4 + 2 * slot)
    return table.Bytes[table.Pos + offset] if offset else 0
