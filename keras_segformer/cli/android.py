"""`keras-segformer android`: models into the Android app."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_segformer.cli.checkout import find_checkout
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.stems import stem_of
from keras_segformer.conversion import convert
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.files import atomic_files
from keras_segformer.images import find_images, load_image
from keras_segformer.json_text import read_json
from keras_segformer.segformer import SegFormer

_ASSETS = Path("android_demo/app/src/main/assets/models")


@dataclasses.dataclass(frozen=True)
class _File:
    """How the file for one kind of processor is converted.

    Args:
        precision: The precision, which also ends the file's name, by which the app distinguishes the files of a set.
        options: The further arguments of `convert`.
        needs_pictures: Whether it is fitted to calibration pictures.
    """

    precision: str
    options: dict[str, Any]
    needs_pictures: bool


# The app runs its CPU on TF Lite 2.21. Its GPU delegate, that of TF Lite 2.16, was not tested with uint8.
_FILES = {
    "gpu": _File("float16", {"input": "float32", "tiles": False}, needs_pictures=False),
    "cpu": _File("int8", {}, needs_pictures=True),
    "nnapi": _File("int8_npu", {"tiles": False}, needs_pictures=True),
}


def run(args: argparse.Namespace) -> int:
    """Converts a model, places its files and, if asked, builds and installs the app.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There is no checkout of keras-segformer, no picture, or no program that is needed.
        PresetNotFoundError: There is no such preset.
        InvalidPresetError: The preset's files are broken.
        ValueError: Calibration pictures are missing, files of that name are of another model, no phone is connected,
            or the app cannot be built or installed.
    """
    checkout = find_checkout("android_demo/app/pom.xml")
    folder = _folder(args, checkout)
    stem = args.name or stem_of(args.preset)
    _check_calibration(args)
    if args.install:
        _check_phone()
    pictures = (
        [load_image(path, args.bit_depth) for path in find_images(args.calibration)] if args.calibration else None
    )
    model = SegFormer.from_preset(args.preset)
    _check_others(folder, stem, args.processors, model, args.size)
    for path, facts in _convert(model, args, folder, stem, pictures):
        print(f"{path}: {facts['bytes'] / 1e6:.1f} MB{_fidelity(facts)}")
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    if args.install:
        _install(checkout)
    return 0


def _folder(args: argparse.Namespace, checkout: Path | None) -> Path:
    if args.install and args.output:
        raise ValueError("--install builds the app with its own assets; leave out --output")
    if args.output:
        return args.output
    if checkout is None:
        raise FileNotFoundError(
            "the Android app is not part of the installed package; run this inside a checkout of keras-segformer, or "
            "name a folder for the files with --output"
        )
    return checkout / _ASSETS


def _check_calibration(args: argparse.Namespace) -> None:
    fitted = [name for name in args.processors if _FILES[name].needs_pictures]
    if fitted and not args.calibration:
        raise ValueError(
            f"the files for {' and '.join(fitted)} are in INT8, which is fitted to pictures: name some dozen that look "
            "like what the camera will see with --calibration DIR, or take --processors gpu"
        )
    given = [flag for flag, value in (("--calibration", args.calibration), ("--bit-depth", args.bit_depth)) if value]
    if given and not fitted:
        raise ValueError(f"{given[0]} is for files in INT8, and that for the GPU is none; leave it out")


def _check_others(folder: Path, stem: str, processors: Iterable[str], model: SegFormer, size: tuple[int, int]) -> None:
    """Refuses files of other sizes or classes: the app treats all files of one name as one model."""
    for name, file in _FILES.items():
        path = folder / f"{stem}_{file.precision}.json"
        if name in processors or not path.is_file():
            continue
        try:
            facts = read_json(path)
            found = (tuple(facts["input"]["shape"][1:3]), facts["label_set"]["names"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"'{path}' cannot be read; remove it, or choose another --name") from error
        if found != (tuple(size), list(model.label_set.names)):
            raise ValueError(
                f"'{path}' is of another size or other classes; convert for all processors at once, choose another "
                "--name, or remove it"
            )
        with contextlib.suppress(FileNotFoundError):  # the app ignores a description without a model
            TFLiteModel(path.with_suffix(".tflite"))  # a file that kills its process here does so on the phone


def _convert(
    model: SegFormer, args: argparse.Namespace, folder: Path, stem: str, pictures: list[Any] | None
) -> list[tuple[Path, dict[str, Any]]]:
    """Converts for every processor, and puts the files in place once all of them are there."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as temporary, step_bars() as progress:
        for name in args.processors:
            file = _FILES[name]
            path = Path(temporary) / f"{stem}_{file.precision}.tflite"
            calibration = pictures if file.needs_pictures else None
            facts = convert(
                model,
                path,
                precision=file.precision,
                input_size=args.size,
                calibration=calibration,
                report=False,
                progress=progress,
                **file.options,
            )
            written.append((folder / path.name, facts))
        # The JSON files, which have the SHA-256 of the models, come last.
        targets = [path for path, _ in written] + [path.with_suffix(".json") for path, _ in written]
        with atomic_files(targets) as places:
            for place, target in zip(places, targets, strict=True):
                (Path(temporary) / target.name).replace(place)
    return written


def _fidelity(facts: dict[str, Any]) -> str:
    fidelity = facts["fidelity"]
    return f", labels as the model's: {fidelity['agreement']:.2%}" if fidelity else ""


def _check_phone() -> None:
    """Checks that a phone is connected, before minutes are spent on the conversion."""
    for program, remedy in (("adb", "Android's platform tools (Debian, Ubuntu: apt install adb)"), ("make", "make")):
        if shutil.which(program) is None:
            raise FileNotFoundError(f"there is no {program}, which --install needs; install {remedy}")
    lines = _adb("devices").splitlines()
    states = dict(line.split("\t")[:2] for line in lines if "\t" in line)
    ready = [serial for serial, state in states.items() if state == "device"]
    if ready:
        return
    if "unauthorized" in states.values():
        raise ValueError(
            "the phone does not trust this computer yet; unlock it and accept the question about debugging"
        )
    raise ValueError("adb sees no phone; connect one with USB debugging switched on, or start an emulator")


def _install(checkout: Path) -> None:
    if subprocess.run(["make", "apk"], cwd=checkout, check=False).returncode:
        raise ValueError("the app could not be built; `make apk` says why")
    apk = max((checkout / "android_demo/app/target").glob("segformer-*.apk"), key=lambda file: file.stat().st_mtime)
    print(_adb("install", "-r", str(apk)).strip())


def _adb(*arguments: str) -> str:
    done = subprocess.run(["adb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        message = (done.stderr.strip() or done.stdout.strip()).splitlines()
        reason = message[-1] if message else f"exit status {done.returncode}"
        raise ValueError(f"adb {arguments[0]}: {reason}")
    return done.stdout
