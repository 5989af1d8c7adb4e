"""`keras-segformer android`: which files it converts, where they go, and what it says where something is missing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segformer.cli import android, main
from keras_segformer.cli import checkout as checkout_module
from keras_segformer.cli.parsers.android import PROCESSORS
from keras_segformer.label_sets import LabelSet
from keras_segformer.segformer import SegFormer
from tiny import tiny_config

ASSETS = "android_demo/app/src/main/assets/models"
ALL_FILES = {f"tiny_{kind}.{suffix}" for kind in ("float16", "int8", "int8_npu") for suffix in ("tflite", "json")}


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    SegFormer(tiny_config()).save_to_preset(folder)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(8):
        noise = np.random.default_rng(index).integers(0, 256, (4, 6, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((96, 64)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch) -> Path:
    """A folder with an Android app, in which the program runs."""
    folder = tmp_path / "checkout"
    (folder / "android_demo/app").mkdir(parents=True)
    (folder / "android_demo/app/pom.xml").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def conversions(monkeypatch) -> list[dict[str, Any]]:
    """What `convert` was asked for; the files are small fakes."""
    calls = []

    def convert(model: SegFormer, path: Path, **options: Any) -> dict[str, Any]:
        calls.append(options)
        facts = {
            "bytes": 5,
            "fidelity": options["calibration"] and {"agreement": 0.9876},
            "input": {"shape": [1, *options["input_size"], 3]},
            "label_set": model.label_set.to_dict(),
        }
        path.write_text("model")
        path.with_suffix(".json").write_text(json.dumps(facts))
        return facts

    monkeypatch.setattr(android, "convert", convert)
    monkeypatch.setattr(android, "TFLiteModel", lambda path: None)
    return calls


@pytest.fixture
def programs(tmp_path: Path, monkeypatch) -> Path:
    """The only folder of programs, with a `make` that builds and an `adb` with one phone; both write what they do."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    target = "android_demo/app/target"
    program(folder, "make", f'echo "make $*" >> {folder}/log; /bin/mkdir -p {target}; echo > {target}/segformer-1.apk')
    connect(folder, "R58\\tdevice")
    return folder


def program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def connect(folder: Path, *phones: str, installation: str = "echo Success") -> None:
    devices = "\\n".join(["List of devices attached", *phones, ""])
    program(
        folder,
        "adb",
        f'echo "adb $*" >> {folder}/log\n[ "$1" = devices ] && {{ printf "{devices}\\n"; exit 0; }}\n{installation}',
    )


def run(*arguments: object) -> int:
    return main(["android", *map(str, arguments)])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def error(capsys) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_the_file_for_gpus(preset, checkout, capsys) -> None:
    assert run("--preset", preset, "--size", 64, "--processors", "gpu") == 0
    folder = checkout / ASSETS
    assert names(folder) == {"tiny_float16.tflite", "tiny_float16.json"}
    facts = json.loads((folder / "tiny_float16.json").read_text())
    assert (facts["precision"], facts["tiles"]) == ("float16", False)
    assert (facts["input"]["shape"], facts["input"]["dtype"]) == ([1, 64, 64, 3], "float32")
    assert facts["output"]["kind"] == "labels"
    assert facts["sha256"] == hashlib.sha256((folder / "tiny_float16.tflite").read_bytes()).hexdigest()
    assert str(folder / "tiny_float16.tflite") in capsys.readouterr().out


def test_every_processor_has_a_file():
    assert tuple(android._FILES) == PROCESSORS


@pytest.mark.slow
def test_all_files(preset, checkout, pictures) -> None:
    assert run("--preset", preset, "--size", 64, "--calibration", pictures) == 0
    folder = checkout / ASSETS
    assert names(folder) == ALL_FILES
    cpu = json.loads((folder / "tiny_int8.json").read_text())
    nnapi = json.loads((folder / "tiny_int8_npu.json").read_text())
    assert (cpu["precision"], cpu["quantization"]["runtime"]) == ("int8", "litert")
    assert (nnapi["precision"], nnapi["tiles"]) == ("int8_npu", False)
    for facts, runtime in ((cpu, (2, 21, 0)), (nnapi, (2, 16, 1))):
        assert tuple(map(int, facts["minimum_runtime"].split("."))) <= runtime


def test_what_each_processor_gets(preset, checkout, pictures, conversions, capsys) -> None:
    assert run("--preset", preset, "--calibration", pictures) == 0
    assert names(checkout / ASSETS) == ALL_FILES
    assert [len(each.pop("calibration") or ()) for each in conversions] == [0, 8, 8]
    for each in conversions:
        each.pop("progress")
    common = {"input_size": (512, 512), "report": False}
    assert conversions == [
        common | {"precision": "float16", "input": "float32", "tiles": False},
        common | {"precision": "int8"},
        common | {"precision": "int8_npu", "tiles": False},
    ]
    assert capsys.readouterr().out.count("98.76%") == 2


def test_from_the_source_of_the_package(preset, tmp_path, monkeypatch, conversions) -> None:
    # Outside of a checkout, but the package itself was installed from one.
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "source"
    (source / "android_demo/app").mkdir(parents=True)
    (source / "android_demo/app/pom.xml").touch()
    monkeypatch.setattr(checkout_module.keras_segformer, "__file__", str(source / "keras_segformer/__init__.py"))
    assert run("--preset", preset, "--processors", "gpu") == 0
    assert names(source / ASSETS) == {"tiny_float16.tflite", "tiny_float16.json"}


def test_outside_of_a_checkout(preset, tmp_path, monkeypatch, conversions, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        checkout_module.keras_segformer, "__file__", str(tmp_path / "site-packages/keras_segformer/__init__.py")
    )
    assert run("--preset", preset, "--processors", "gpu") == 2
    message = error(capsys)
    assert "run this inside a checkout" in message
    assert "--output" in message
    assert run("--preset", preset, "--processors", "gpu", "--output", tmp_path / "out") == 0
    assert names(tmp_path / "out") == {"tiny_float16.tflite", "tiny_float16.json"}


def test_output_is_a_file(preset, checkout, tmp_path, conversions, capsys) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        run("--preset", preset, "--processors", "gpu", "--output", tmp_path / "file")
    assert "is a file; name a folder" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_no_calibration(preset, checkout, conversions, capsys) -> None:
    assert run("--preset", preset, "--processors", "gpu,cpu,nnapi") == 2
    message = error(capsys)
    assert "cpu and nnapi" in message
    assert "--calibration DIR" in message
    assert "--processors gpu" in message
    assert not (checkout / ASSETS).exists()
    assert conversions == []


@pytest.mark.parametrize("option", ["--calibration", "--bit-depth"])
def test_the_gpu_needs_no_pictures(preset, checkout, conversions, capsys, option) -> None:
    assert run("--preset", preset, "--processors", "gpu", option, 12) == 2
    assert f"{option} is for files in INT8" in error(capsys)
    assert conversions == []


def test_no_pictures(preset, checkout, tmp_path, conversions, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert run("--preset", preset, "--calibration", tmp_path / "empty") == 2
    assert "empty" in error(capsys)
    assert conversions == []


@pytest.mark.parametrize("arguments", [["--processors", "npu"], ["--size", "big"], ["--name", "../x"], ["--name", ""]])
def test_wrong_arguments(preset, checkout, arguments) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("--preset", preset, *arguments)
    assert stopped.value.code == 2


def test_an_interruption_leaves_the_old_files(preset, checkout, pictures, conversions, monkeypatch) -> None:
    arguments = ("--preset", preset, "--calibration", pictures)
    assert run(*arguments) == 0
    folder = checkout / ASSETS
    for path in folder.iterdir():
        path.write_text(path.read_text() + " ")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    convert = android.convert

    def interrupted(model: SegFormer, path: Path, **options: Any) -> dict[str, Any]:
        if options["precision"] == "int8_npu":
            raise KeyboardInterrupt
        return convert(model, path, **options)

    monkeypatch.setattr(android, "convert", interrupted)
    assert run(*arguments) == 130
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_of_one_name_are_of_one_model(preset, checkout, pictures, conversions, capsys) -> None:
    assert run("--preset", preset, "--calibration", pictures, "--processors", "cpu") == 0
    assert run("--preset", preset, "--processors", "gpu") == 0
    capsys.readouterr()
    assert run("--preset", preset, "--processors", "gpu", "--size", 256) == 2
    assert "another size or other classes" in error(capsys)
    assert run("--preset", preset, "--processors", "gpu", "--size", 256, "--name", "small") == 0
    path = checkout / ASSETS / "tiny_int8.json"
    path.write_text("{")
    capsys.readouterr()
    assert run("--preset", preset, "--processors", "gpu") == 2
    assert "cannot be read" in error(capsys)


def test_file_beside_that_crashes(preset, checkout, crashing_file, capsys) -> None:
    folder = checkout / ASSETS
    folder.mkdir(parents=True)
    (folder / "tiny_int8.tflite").write_bytes(crashing_file.read_bytes())
    description = {"input": {"shape": [1, 32, 32, 3]}, "label_set": LabelSet.generic(5).to_dict()}
    (folder / "tiny_int8.json").write_text(json.dumps(description))
    assert run("--preset", preset, "--processors", "gpu", "--size", 32) == 2
    assert "tiny_int8.tflite' kills the process that runs it (signal SIG" in error(capsys)


def test_install(preset, checkout, conversions, programs, capsys) -> None:
    assert run("--preset", preset, "--processors", "gpu", "--install") == 0
    apk = checkout / "android_demo/app/target/segformer-1.apk"
    assert (programs / "log").read_text().splitlines() == ["adb devices", "make apk", f"adb install -r {apk}"]
    assert capsys.readouterr().out.splitlines()[-1] == "Success"


@pytest.mark.parametrize(
    ("phones", "message"),
    [
        ((), "adb sees no phone"),
        (("R58\\toffline",), "adb sees no phone"),
        (("R58\\tunauthorized",), "does not trust this computer"),
    ],
)
def test_no_phone(preset, checkout, conversions, programs, capsys, phones, message) -> None:
    connect(programs, *phones)
    assert run("--preset", preset, "--processors", "gpu", "--install") == 2
    assert message in error(capsys)
    assert conversions == []  # which takes minutes


@pytest.mark.parametrize("missing", ["adb", "make"])
def test_missing_programs(preset, checkout, conversions, programs, capsys, missing) -> None:
    (programs / missing).unlink()
    assert run("--preset", preset, "--processors", "gpu", "--install") == 2
    assert f"there is no {missing}, which --install needs; install" in error(capsys)
    assert conversions == []


def test_failing_build(preset, checkout, conversions, programs, capsys) -> None:
    program(programs, "make", "exit 2")
    assert run("--preset", preset, "--processors", "gpu", "--install") == 2
    assert "the app could not be built" in error(capsys)
    assert names(checkout / ASSETS) == {"tiny_float16.tflite", "tiny_float16.json"}


def test_failing_installation(preset, checkout, conversions, programs, capsys) -> None:
    connect(programs, "R58\\tdevice", installation="echo no space >&2; exit 1")
    assert run("--preset", preset, "--processors", "gpu", "--install") == 2
    assert error(capsys) == "error: adb install: no space"


def test_install_takes_no_output(preset, checkout, conversions, programs, tmp_path, capsys) -> None:
    assert run("--preset", preset, "--processors", "gpu", "--install", "--output", tmp_path / "out") == 2
    assert "leave out --output" in error(capsys)
