"""Metadata inside of files; test_old_runtime.py reads them with the official reader."""

from __future__ import annotations

import json
import zipfile

import pytest

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
