"""`android_demo/tools/check_bundle.py`: checks the APKs that bundletool makes, with a stand-in for bundletool."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.android_demo.test_check_apk import (
    BADGING,
    CODE,
    MANIFEST,
    MODEL,
    PROPERTIES,
    description,
    library,
    script,
    write,
)

TOOLS = Path(__file__).parents[2] / "android_demo/tools"
SPLIT_BADGING = BADGING.replace("native-code: 'arm64-v8a' 'x86_64'\n", "")
NAMES = ("libjnijavacpp.so", "libjnitensorflowlite.so")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    sys.path.insert(0, str(TOOLS))
    try:
        yield importlib.import_module("check_bundle")
    finally:
        sys.path.remove(str(TOOLS))


class Bundletool:
    """Makes a base and a split with the libraries of the first ABI of a device."""

    def __init__(
        self,
        alignment: int = 16384,
        names: tuple[str, ...] = NAMES,
        properties: dict[str, bytes] = PROPERTIES,
        code: bytes = CODE,
    ) -> None:
        self.devices = []
        self._properties = properties
        self._code = code
        self._alignment = alignment
        self._names = names

    def validate(self, bundle: Path) -> None:
        if not zipfile.is_zipfile(bundle):
            raise ValueError("bundletool validate fails: no bundle")

    def apks_for(self, bundle: Path, device: dict, folder: Path) -> list[Path]:
        self.devices.append(device)
        abi = device["supportedAbis"][0]
        base = {
            "classes.dex": self._code,
            "assets/models/b0_camvid_int8.tflite": MODEL,
            "assets/models/b0_camvid_int8.json": description(MODEL),
            **self._properties,
        }
        content = library({"arm64-v8a": 183, "x86_64": 62}[abi], alignment=self._alignment)
        split = {f"lib/{abi}/{name}": content for name in self._names}
        return [
            write(folder / "base-master.apk", base),
            write(folder / f"base-{abi}.apk", split, compressed=("none/",)),
        ]


@pytest.fixture
def aapt2(tmp_path: Path) -> str:
    (tmp_path / "badging.txt").write_text(SPLIT_BADGING)
    (tmp_path / "manifest.txt").write_text(MANIFEST)
    body = f'[ "$2" = badging ] && cat {tmp_path}/badging.txt || cat {tmp_path}/manifest.txt'
    return str(script(tmp_path / "aapt2", body))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "app.aab", {"BundleConfig.pb": b""})


def test_a_good_one_passes_for_three_devices(tool, bundle: Path, aapt2: str) -> None:
    bundletool = Bundletool()
    assert tool.check(bundle, bundletool, aapt2) == []
    assert [device["supportedAbis"][0] for device in bundletool.devices] == ["arm64-v8a", "arm64-v8a", "x86_64"]
    assert not tool.is_signed(bundle)


def test_libraries_with_small_pages(tool, bundle: Path, aapt2: str) -> None:
    found = tool.check(bundle, Bundletool(alignment=4096), aapt2)
    assert len(found) == 6
    assert all("is aligned to 4096 bytes, but Google Play requires 16384" in each for each in found)


def test_an_apk_for_new_versions_of_android_only(tool, tmp_path: Path, bundle: Path, aapt2: str) -> None:
    (tmp_path / "badging.txt").write_text(SPLIT_BADGING.replace("sdkVersion:'26'", "sdkVersion:'32'", 1))
    assert tool.check(bundle, Bundletool(), aapt2) == ["the oldest phone: min_sdk is 32 instead of 26"]


def test_aapt2_is_called_without_options_that_it_lacks(tool, tmp_path: Path) -> None:
    aapt2 = script(tmp_path / "aapt2", 'printf "%s;" "$@"')
    wrapper = tool.Bundletool("java", "bundletool.jar", str(aapt2)).older_aapt2(tmp_path / "tools")
    done = subprocess.run([wrapper, "convert", "--force-sparse-encoding", "-o", "a b"], capture_output=True, check=True)
    assert done.stdout == b"convert;-o;a b;"


def test_a_device_without_libraries(tool, bundle: Path, aapt2: str) -> None:
    found = tool.check(bundle, Bundletool(names=NAMES[:1]), aapt2)
    assert found[0] == "a new phone: lib/arm64-v8a/libjnitensorflowlite.so is missing"
    assert len(found) == 3


def test_a_device_on_which_javacpp_does_not_find_its_libraries(tool, bundle: Path, aapt2: str) -> None:
    arm = {name: content for name, content in PROPERTIES.items() if "arm64" in name}
    (found,) = tool.check(bundle, Bundletool(properties=arm), aapt2)
    assert found == "an emulator: org/bytedeco/javacpp/properties/android-x86_64.properties is missing"


def test_classes_that_the_libraries_look_up(tool, bundle: Path, aapt2: str) -> None:
    found = tool.check(bundle, Bundletool(code=CODE.replace(b"javacpp/Pointer", b"javacpp/Other")), aapt2)
    assert len(found) == 3
    assert all("the class org/bytedeco/javacpp/Pointer, which lib/" in each for each in found)


def test_a_file_that_is_no_bundle(tool, tmp_path: Path, aapt2: str) -> None:
    (tmp_path / "app.aab").write_text("nothing")
    assert tool.check(tmp_path / "app.aab", Bundletool(), aapt2) == ["bundletool validate fails: no bundle"]


def test_errors_of_bundletool_are_reported(tool, tmp_path: Path, bundle: Path, aapt2: str) -> None:
    java = script(tmp_path / "java", "echo The bundle has no base module. >&2; exit 1")
    (found,) = tool.check(bundle, tool.Bundletool(str(java), "bundletool.jar", aapt2), aapt2)
    assert found == "bundletool validate fails: The bundle has no base module."


def test_a_signature_is_found(tool, tmp_path: Path) -> None:
    assert tool.is_signed(write(tmp_path / "app.aab", {"META-INF/UPLOAD.RSA": b"", "BundleConfig.pb": b""}))
