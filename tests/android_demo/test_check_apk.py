"""`android_demo/tools/check_apk.py`: finds each fault, and passes an APK without faults."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from keras_segformer.cli import android

TOOL = Path(__file__).parents[2] / "android_demo/tools/check_apk.py"

CAMERA = "android.permission.CAMERA"
BADGING = """package: name='org.kerassegformer.demo' versionCode='1' versionName='0.1.0' platformBuildVersionName='13'
sdkVersion:'26'
targetSdkVersion:'36'
uses-permission: name='android.permission.CAMERA'
application-label:'SegFormer'
launchable-activity: name='org.kerassegformer.demo.ui.MainActivity'  label='' icon=''
feature-group: label=''
  uses-feature-not-required: name='android.hardware.camera'
  uses-feature: name='android.hardware.faketouch'
  uses-implied-feature: name='android.hardware.faketouch' reason='default feature for all apps'
native-code: 'arm64-v8a' 'x86_64'
"""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_apk", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their annotations
    spec.loader.exec_module(module)
    return module


def library(machine: int, bits: int = 64, alignment: int = 4096) -> bytes:
    """A native library of one segment that is loaded and one that is not."""
    header = bytearray(64 if bits == 64 else 52)
    header[:5] = b"\x7fELF" + bytes([2 if bits == 64 else 1])
    struct.pack_into("<H", header, 18, machine)
    if bits == 64:
        struct.pack_into("<Q", header, 32, 64)
        struct.pack_into("<HH", header, 54, 56, 2)
        loaded = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0, 0, alignment)
        other = struct.pack("<IIQQQQQQ", 4, 4, 0, 0, 0, 0, 0, 4)
    else:
        struct.pack_into("<I", header, 28, 52)
        struct.pack_into("<HH", header, 42, 32, 2)
        loaded = struct.pack("<IIIIIIII", 1, 0, 0, 0, 0, 0, 5, alignment)
        other = struct.pack("<IIIIIIII", 4, 0, 0, 0, 0, 0, 4, 4)
    return bytes(header) + loaded + other + LOOKED_UP


MANIFEST = """N: android=http://schemas.android.com/apk/res/android (line=3)
  E: manifest (line=3)
      E: application (line=9)
          E: activity (line=20)
            A: http://schemas.android.com/apk/res/android:name(0x01010003)="org.kerassegformer.demo.ui.MainActivity"
          E: activity (line=30)
            A: http://schemas.android.com/apk/res/android:label(0x01010001)=@0x7f0b0001
            A: http://schemas.android.com/apk/res/android:name(0x01010003)="org.kerassegformer.demo.ui.BenchmarkActivity"
"""
CODE = (
    b"dex Lorg/kerassegformer/demo/ui/MainActivity; Lorg/kerassegformer/demo/ui/BenchmarkActivity; "
    b"Lorg/bytedeco/javacpp/Pointer;"
)
# What a library looks up by name.
LOOKED_UP = b"\0org/bytedeco/javacpp/Pointer\0"

MACHINES = {"arm64-v8a": 183, "x86_64": 62}
# The page sizes that the libraries of the full flavour are for.
LIBRARIES = {
    "libjnitensorflowlite.so": 16384,
    "libjnijavacpp.so": 16384,
    "libtensorflowlite_jni.so": 4096,
    "libtensorflowlite_gpu_jni.so": 4096,
}
PROPERTIES = {f"org/bytedeco/javacpp/properties/android-{abi}.properties": b"" for abi in ("arm64", "x86_64")}
MODEL = b"a model"


def description(model: bytes) -> bytes:
    return json.dumps({"sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)}).encode()


def contents() -> dict[str, bytes]:
    files = {
        f"lib/{abi}/{name}": library(machine, alignment=alignment)
        for abi, machine in MACHINES.items()
        for name, alignment in LIBRARIES.items()
    }
    others = {
        "classes.dex": CODE,
        "assets/models/b0_camvid_int8.tflite": MODEL,
        "assets/models/b0_camvid_int8.json": description(MODEL),
    }
    return files | PROPERTIES | others


def write(path: Path, files: dict[str, bytes], compressed: tuple[str, ...] = ("lib/",), start: int = 0) -> Path:
    """An archive whose files start at multiples of 16 KB, plus `start`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            if name.startswith(compressed):
                entry.compress_type = zipfile.ZIP_DEFLATED
            else:
                position = archive.fp.tell() + 30 + len(name.encode())
                entry.extra = bytes((start - position) % 16384)
            archive.writestr(entry, content)
    return path


def faults(tool: ModuleType, path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [
            *tool.check_code(archive, MANIFEST),
            *tool.check_native_classes(archive, archive),
            *tool.check_libraries(archive, tool.ABIS, extracted=True),
            *tool.check_pages(archive, "full"),
            *tool.check_alignment(archive),
            *tool.check_models(archive),
            *tool.check_size(archive, path.stat().st_size),
        ]


def test_the_store_gets_no_models_for_other_processors(tool, tmp_path: Path) -> None:
    npu = {
        "assets/models/b0_camvid_int8_npu.tflite": MODEL,
        "assets/models/b0_camvid_int8_npu.json": description(MODEL),
    }
    with zipfile.ZipFile(write(tmp_path / "app.apk", contents() | npu)) as archive:
        assert list(tool.check_models(archive)) == []
        found = list(tool.check_models(archive, "store"))
    assert found == [f"{name} is for a processor that the flavour store does not use" for name in sorted(npu)]


def test_a_good_one_passes(tool, tmp_path: Path) -> None:
    path = write(tmp_path / "app.apk", contents())
    assert faults(tool, path) == []
    assert list(tool.check_badging(tool.parse_badging(BADGING), tool.ABIS)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("org.kerassegformer.demo'", "org.other'", "package is org.other instead of org.kerassegformer.demo"),
        ("uses-permission:", "uses-feature:", f"permissions is none instead of {CAMERA}"),
        (
            "application-label",
            "uses-permission: name='android.permission.INTERNET'\napplication-label",
            f"permissions is {CAMERA}, android.permission.INTERNET instead of {CAMERA}",
        ),
        (
            "application-label",
            "uses-permission-sdk-23: name='android.permission.INTERNET'\napplication-label",
            f"permissions is {CAMERA}, android.permission.INTERNET instead of {CAMERA}",
        ),
        ("sdkVersion:'26'", "sdkVersion:'21'", "min_sdk is 21 instead of 26"),
        (
            "targetSdkVersion:'36'",
            "targetSdkVersion:'35'",
            "target_sdk is 35, but Google Play requires 36 since 2026-08-31 "
            "(https://developer.android.com/google/play/requirements/target-sdk)",
        ),
        ("application-label", "application-debuggable\napplication-label", "debuggable is True instead of False"),
        (
            "uses-feature-not-required: name='android.hardware.camera'",
            "uses-feature: name='android.hardware.camera'",
            "features is android.hardware.camera, android.hardware.faketouch instead of android.hardware.faketouch",
        ),
        (" 'x86_64'", "", "abis is arm64-v8a instead of arm64-v8a, x86_64"),
        ("launchable-activity", "activity", "there is no launcher activity"),
    ],
)
def test_badging(tool, old: str, new: str, fault: str) -> None:
    assert old in BADGING
    found = tool.parse_badging(BADGING.replace(old, new, 1))
    assert list(tool.check_badging(found, tool.ABIS)) == [fault]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("lib/x86_64/libtensorflowlite_jni.so", None, "is missing"),
        ("lib/x86_64/libtensorflowlite_jni.so", library(183), "is for another architecture"),
        ("lib/x86_64/libtensorflowlite_jni.so", library(62, alignment=16), "not aligned to 4 KB pages"),
        ("lib/x86_64/libjnitensorflowlite.so", None, "is missing"),
        ("lib/armeabi-v7a/libother.so", library(40, 32, alignment=16), "not aligned to 4 KB pages"),
        ("lib/arm64-v8a/libjnitensorflowlite.so", library(183), "Google Play requires 16384"),
        ("assets/libhidden.so", library(183), "Google Play requires 16384"),
        ("org/bytedeco/javacpp/properties/android-arm64.properties", None, "is missing"),
        ("lib/x86_64/libother.so", b"MZ", "is not a native library"),
        ("assets/models/b0_camvid_int8.tflite", b"another", "does not match"),
        ("assets/models/b0_camvid_int8.tflite", MODEL[:-1], "does not match"),
        ("assets/models/b0_camvid_int8.json", b"{", "cannot be read"),
        ("assets/models/b0_camvid_int8.json", b"{}", "cannot be read"),
        ("assets/models/b0_camvid_int8.json", b"[]", "cannot be read"),
        ("assets/models/b0_camvid_int8.json", None, "has no JSON file"),
        ("assets/models/b0_camvid_float16.json", description(MODEL), "has no model"),
        pytest.param("classes2.dex", bytes(33_000_000), "MB are more than 32 MB", id="too large"),
        ("classes.dex", CODE.replace(b"Benchmark", b"Other"), "demo.ui.BenchmarkActivity is missing"),
        ("classes.dex", CODE.replace(b"javacpp/Pointer", b"javacpp/Other"), "org/bytedeco/javacpp/Pointer, which lib/"),
    ],
)
def test_contents(tool, tmp_path: Path, name: str, content: bytes | None, fault: str) -> None:
    files = contents() | {name: content}
    path = write(tmp_path / "app.apk", {each: data for each, data in files.items() if data is not None})
    (found,) = faults(tool, path)
    assert fault in found
    assert Path(name).stem in found or name.endswith(".dex")


def test_every_rule_has_a_date_and_a_source(tool) -> None:
    dates = [rule.since for rule in tool.RULES]
    assert dates == sorted(dates, reverse=True)
    assert all(rule.source.startswith("https://developer.android.com/") for rule in tool.RULES)


def test_pages_of_16_kb(tool, tmp_path: Path) -> None:
    files = {
        "lib/arm64-v8a/libgood.so": library(183, alignment=16384),
        "lib/x86_64/libbad.so": library(62),
        "lib/armeabi-v7a/libold.so": library(40, bits=32),
    }
    with zipfile.ZipFile(write(tmp_path / "app.apk", files)) as archive:
        (found,) = tool.check_pages(archive)
    assert found.startswith("lib/x86_64/libbad.so is aligned to 4096 bytes, but Google Play requires 16384 since 2025")


def test_the_store_has_no_delegates(tool, tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path / "app.apk", contents())) as archive:
        faults = list(tool.check_pages(archive))
    found = [fault.partition(" is aligned to 4096 bytes")[0] for fault in faults]
    assert found == [f"lib/{abi}/{name}" for abi in MACHINES for name, size in LIBRARIES.items() if size == 4096]


def test_the_files_that_the_store_leaves_out_are_those_of_other_processors(tool) -> None:
    patterns = tuple(f"b0_camvid_{android._FILES[name].precision}.*" for name in ("gpu", "nnapi"))
    assert patterns == tool.STORE_EXCLUDES


def test_no_models(tool, tmp_path: Path) -> None:
    files = {name: data for name, data in contents().items() if not name.startswith("assets/")}
    assert faults(tool, write(tmp_path / "app.apk", files)) == ["there are no models in assets/models"]


def test_own_models_do_not_count(tool, tmp_path: Path) -> None:
    model = bytes(33_000_000)
    files = contents() | {"assets/models/b0_ade20k_int8.tflite": model}
    files["assets/models/b0_ade20k_int8.json"] = description(model)
    assert faults(tool, write(tmp_path / "app.apk", files)) == []


def test_the_store_flavour_is_smaller(tool, tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path / "app.apk", contents())) as archive:
        assert list(tool.check_size(archive, 15_900_000, "store")) == []
        assert list(tool.check_size(archive, 16_100_000, "store")) == ["16.1 MB are more than 16 MB"]


def test_compressed_models(tool, tmp_path: Path) -> None:
    (found,) = faults(tool, write(tmp_path / "app.apk", contents(), compressed=("lib/", "assets/")))
    assert "is compressed and cannot be memory-mapped" in found


def test_alignment(tool, tmp_path: Path) -> None:
    found = faults(tool, write(tmp_path / "app.apk", contents(), compressed=("lib/", "classes"), start=2))
    assert found == [f"assets/models/b0_camvid_int8.{kind} is not aligned to 4 bytes" for kind in ("tflite", "json")]


@pytest.mark.parametrize(
    ("compressed", "start", "fault"),
    [((), 0, None), ((), 4096, "is not aligned to 16384"), (("lib/",), 0, "must be stored to be mapped")],
)
def test_libraries_that_stay_in_the_apk(tool, tmp_path: Path, compressed, start: int, fault: str | None) -> None:
    path = write(tmp_path / "app.apk", contents(), compressed=compressed or ("none/",), start=start)
    with zipfile.ZipFile(path) as archive:
        found = list(tool.check_libraries(archive, tool.ABIS, extracted=False))
    assert len(found) == (8 if fault else 0)
    assert all(fault in each for each in found)


class TestProgram:
    """The whole program, with stand-ins for aapt2 and java."""

    @pytest.fixture
    def run(self, tool, tmp_path: Path, capsys):
        def run(
            apk: Path, badging: str = BADGING, manifest: str = MANIFEST, signature: str = "echo v2 true; echo v3 true"
        ):
            (tmp_path / "badging.txt").write_text(badging)
            (tmp_path / "manifest.txt").write_text(manifest)
            aapt2 = script(
                tmp_path / "aapt2", f'[ "$2" = badging ] && cat {tmp_path}/badging.txt || cat {tmp_path}/manifest.txt'
            )
            java = script(tmp_path / "java", signature)
            status = tool.main([str(apk), "--aapt2", str(aapt2), "--java", str(java), "--apksig", "apksig.jar"])
            captured = capsys.readouterr()
            return status, captured.out, captured.err

        return run

    def test_good(self, run, tmp_path: Path) -> None:
        apk = write(tmp_path / "app.apk", contents())
        status, out, err = run(apk)
        assert (status, err) == (0, "")
        assert out == f"{apk}: {apk.stat().st_size / 1e6:.1f} MB, arm64-v8a, x86_64; all checks passed\n"

    def test_unsigned(self, run, tmp_path: Path) -> None:
        apk = write(tmp_path / "app.apk", contents())
        status, out, err = run(apk, signature="echo The signature does not verify >&2; exit 1")
        assert (status, out, err) == (1, "", "app.apk: The signature does not verify\n")

    def test_old_signature(self, run, tmp_path: Path) -> None:
        status, _, err = run(write(tmp_path / "app.apk", contents()), signature="echo v2 true; echo v3 false")
        assert (status, err) == (1, "app.apk: there is no signature of scheme v3\n")

    def test_libraries_to_be_mapped(self, run, tmp_path: Path) -> None:
        attribute = "A: http://schemas.android.com/apk/res/android:extractNativeLibs(0x010104ea)=false"
        manifest = MANIFEST.replace("E: application (line=9)", f"E: application (line=9)\n        {attribute}")
        status, _, err = run(write(tmp_path / "app.apk", contents()), manifest=manifest)
        assert status == 1
        assert err.count("must be stored to be mapped from the APK") == 8

    def test_no_apk(self, run, tmp_path: Path) -> None:
        (tmp_path / "app.apk").write_text("nothing")
        status, _, err = run(tmp_path / "app.apk")
        assert status == 1
        assert "is not an APK" in err
        assert "build it with make apk" in err

    def test_other_abis(self, tool, tmp_path: Path, capsys) -> None:
        with pytest.raises(SystemExit):
            tool.main([str(tmp_path / "app.apk"), "--aapt2", "", "--apksig", "", "--abis", "armeabi-v7a"])
        assert "invalid choice: 'armeabi-v7a' (choose from" in capsys.readouterr().err

    def test_unreadable(self, tool, tmp_path: Path, capsys) -> None:
        aapt2 = script(tmp_path / "aapt2", "echo no APK >&2; exit 1")
        assert tool.main([str(tmp_path / "app.apk"), "--aapt2", str(aapt2), "--apksig", "apksig.jar"]) == 1
        assert "aapt2 cannot read" in capsys.readouterr().err


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
