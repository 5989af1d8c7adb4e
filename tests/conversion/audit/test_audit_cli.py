"""`keras-segformer audit`."""

from __future__ import annotations

import json

import pytest

from keras_segformer.cli import main
from operator_files import Operation, make_file


@pytest.fixture(scope="module")
def file(converted):
    return str(converted("tiny", input_size=(64, 64), input="float32", report=False)[0])


def test_report(file, capsys):
    assert main(["audit", file]) == 0
    printed = capsys.readouterr().out
    assert "GELU" in printed
    assert "nnapi:8" in printed
    assert "needs TF Lite             2.9.0" in printed


def test_requirements_met(file, capsys):
    assert main(["audit", file, "--require", "gpu,runtime:2.9,litert"]) == 0
    assert "required" not in capsys.readouterr().out


def test_requirement_not_met(file, capsys):
    assert main(["audit", file, "--require", "gpu,nnapi:6,runtime:2.8"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == [f"required: {target}, does not take" for target in ("nnapi:6", "runtime:2.8")]


@pytest.mark.parametrize(
    ("operators", "required", "status"),
    [
        (["MAX_POOL_2D"], "litert,runtime:2.14", 0),
        (["MAX_POOL_2D"], "litert,qualcomm-htp", 3),  # not judged there
        (["MAX_POOL_2D", "GELU"], "nnapi:8,qualcomm-htp", 1),  # a refusal is sure, whatever else is not known
        (["MAX_POOL_2D"], "qualcomm-htp", 3),
        (["STABLEHLO_SORT"], "litert", 1),
        (["TFLite_Detection_PostProcess"], "litert", 0),
        (["TFLite_Detection_PostProcess"], "runtime:2.14", 3),
    ],
)
def test_exit_status(operators, required, status, tmp_path, capsys):
    (tmp_path / "foreign.tflite").write_bytes(make_file([Operation(name) for name in operators]))
    assert main(["audit", str(tmp_path / "foreign.tflite"), "--require", required]) == status
    answers = {0: "takes", 1: "does not take", 3: "not known"}
    last = required.split(",")[-1] if status == 3 else required.split(",")[0]
    assert (f"required: {last}, {answers[status]}" in capsys.readouterr().out) == (status > 0)


def test_false_claim(shared, capsys):
    assert main(["audit", str(shared / "peers" / "onnx2tf_float32.tflite")]) == 1
    assert "false claim: RESIZE_BILINEAR says version 1" in capsys.readouterr().out


def test_json(file, tmp_path):
    assert main(["audit", file, "--require", "runtime:2.8", "--json", str(tmp_path / "audit.json")]) == 1
    found = json.loads((tmp_path / "audit.json").read_text())
    assert (found["file"], found["required"], found["minimum_runtime"]) == (file, ["runtime:2.8"], "2.9.0")
    assert found["targets"]["gpu"]["passes"]
    assert found["targets"]["gpu"]["answer"] == "takes"
    [finding] = found["targets"]["nnapi:6"]["findings"]
    assert finding["operator"] == "GELU"
    assert len(finding["places"]) == 4
    assert found["targets"]["runtime:2.8"]["findings"][0]["reason"] == "version 1 needs 2.9.0"


def test_errors_are_one_line(tmp_path, capsys):
    (tmp_path / "foreign.tflite").write_bytes(b"<html>not a network at all</html>")
    (tmp_path / "short.tflite").write_bytes(b"\x20\0\0\0TFL3")
    for name in ("missing.tflite", "foreign.tflite", "short.tflite", "."):
        assert main(["audit", str(tmp_path / name)]) == 2
    missing, foreign, short, folder = capsys.readouterr().err.splitlines()
    assert "no file" in missing
    assert "not a TF Lite file" in foreign
    assert "cut short" in short
    assert "a folder" in folder


def test_unknown_target(file, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["audit", file, "--require", "gpu,tpu"])
    assert "no target 'tpu'; choose litert" in capsys.readouterr().err
