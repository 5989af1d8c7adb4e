"""Files that CPUs may compute in float16."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.conversion import convert, verify
from keras_segformer.conversion.tflite.writer import unpack
from keras_segformer.errors import MissingExtraError
from keras_segformer.runtime import IsolatedRunner, TFLiteRunner

SIZE = (64, 96)


@pytest.fixture(scope="module")
def pictures(photograph):
    return list(photograph(40, 80)[0][None].repeat(8, axis=0) // np.arange(1, 9, dtype=np.uint8)[:, None, None, None])


def hint_of(content: bytes) -> bytes | None:
    model = unpack(content)
    found = [entry.buffer for entry in model.metadata if entry.name == b"reduced_precision_support"]
    return bytes(model.buffers[found[0]].data) if found else None


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic"])
def test_the_hint_and_what_was_tried(tiny, pictures, tmp_path, precision):
    plain, allowed = tmp_path / "plain.tflite", tmp_path / "half.tflite"
    before = convert(tiny, plain, precision, SIZE, calibration=pictures, report=False)
    facts = convert(tiny, allowed, precision, SIZE, calibration=pictures, report=False, half=True)
    assert hint_of(plain.read_bytes()) != b"fp16accfp16"
    assert hint_of(allowed.read_bytes()) == b"fp16accfp16"
    assert facts == json.loads(allowed.with_suffix(".json").read_text())
    assert 0.97 <= facts["half"]["worst_agreement"] <= facts["half"]["agreement"] <= 1
    assert "half" not in before
    assert facts["fidelity"] == before["fidelity"]


def test_float16_is_really_computed(tiny, pictures, tmp_path):
    file = tmp_path / "m.tflite"
    convert(tiny, file, "float32", SIZE, output="logits", report=False)
    rough, exact = (verify(file, tiny, pictures[:1], half=half) for half in (True, False))
    assert 0.97 <= rough.agreement <= exact.agreement == 1.0
    content = file.read_bytes()
    image = np.stack(pictures)[:1, :32, :48].repeat(2, axis=1).repeat(2, axis=2)
    with IsolatedRunner(content, "m.tflite", half=True) as runner:
        [logits] = runner(image)
    [expected] = TFLiteRunner(content)(image)
    assert 1e-5 < np.abs(logits - expected).max() / np.abs(expected).max() < 0.02


def test_a_network_that_overflows_is_refused(tiny, pictures, tmp_path):
    model = SegFormer(tiny.config)
    model.set_weights(tiny.get_weights())
    for variable in model.trainable_variables:
        if "stage1_patch_embedding/projection" in variable.path:
            variable.assign(variable * 1e7)  # which the norm behind it takes back
    with pytest.raises(ValueError, match=r"In float16 the file has only .*leave out `half` \(--half\)"):
        convert(model, tmp_path / "m.tflite", "float32", SIZE, calibration=pictures, report=False, half=True)
    assert not (tmp_path / "m.tflite").exists()


def test_litert_is_named_where_it_is_missing(tiny, pictures, tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ai_edge_litert" else find_spec(name))
    with pytest.raises(MissingExtraError, match=r"keras-segformer\[mobile\]"):
        convert(tiny, tmp_path / "m.tflite", "float32", SIZE, calibration=pictures, report=False, half=True)


def test_a_machine_that_cannot(tiny, pictures, tmp_path, monkeypatch):
    convert(tiny, tmp_path / "m.tflite", "float32", SIZE, report=False)

    def runner(*arguments, half=False, **options):
        if half:
            raise ValueError("unsupported")
        return IsolatedRunner(*arguments, **options)

    monkeypatch.setattr("keras_segformer.conversion.report.verification.IsolatedRunner", runner)
    with pytest.raises(ValueError, match="take one with AVX2 or ARMv8"):
        verify(tmp_path / "m.tflite", tiny, pictures[:1], half=True)


def test_a_damaged_file_is_called_so(tiny, pictures):
    with pytest.raises(ValueError, match="cannot be run as a TF Lite file"):
        verify(b"\x1c\x00\x00\x00TFL3" + bytes(64), tiny, pictures[:1], half=True)


def test_scores_are_not_of_float16(tmp_path, capsys):
    line = ["verify", str(tmp_path / "m.tflite"), "--against", "b0_camvid", "--images", "docs/street.jpg", "--half"]
    assert main([*line, "--data", str(tmp_path)]) == 2
