"""`keras-segformer web`: a page that runs a model in the browser."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from keras_segformer.cli.checkout import find_checkout
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.stems import stem_of
from keras_segformer.cli.web_server import serve_folder
from keras_segformer.conversion import convert
from keras_segformer.files import write_file
from keras_segformer.json_text import read_json
from keras_segformer.segformer import SegFormer

_PAGE = "web_demo/page"
_PARTS = ("index.html", "sw.js", "litert")


def run(args: argparse.Namespace) -> int:
    """Converts a model and writes the page around it; serves it, if asked.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: The page was not built.
        PresetNotFoundError: There is no such preset.
        InvalidPresetError: The preset's files are broken.
        OSError: The folder cannot be written to, or the port is taken.
        ValueError: The model cannot be converted like this.
    """
    page = _find_page(args.page)
    name = args.name or stem_of(args.preset)
    model = SegFormer.from_preset(args.preset)
    models = args.output / "models"
    with step_bars() as progress:
        facts = convert(
            model,
            models / f"{name}.tflite",
            precision=args.precision,
            input_size=args.size,
            input="float32",  # LiteRT.js takes no integers
            report=False,
            preset=args.preset,
            progress=progress,
        )
    _list_models(models, name)
    _copy(page, args.output)
    print(f"{args.output}: the page, with {name} of {facts['bytes'] / 1e6:.1f} MB")
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    if args.serve:
        serve_folder(args.output, args.host, args.port)
    return 0


def _find_page(given: Path | None) -> Path:
    checkout = find_checkout(_PAGE)
    page = given or (checkout and checkout / _PAGE)
    if page is None:
        raise FileNotFoundError(
            "the page is not part of the installed package; run `make web` in a checkout of keras-segformer, and this "
            "command inside it or with --page web_demo/page"
        )
    if not all((page / part).exists() for part in _PARTS):
        raise FileNotFoundError(f"'{page}' is not the built page; run `make web` in a checkout, and name web_demo/page")
    return page


def _list_models(folder: Path, name: str) -> None:
    """Writes what the page reads first: the names of its models, the newest one in front, and their licences."""
    others = sorted(file.stem for file in folder.glob("*.tflite") if file.stem != name)
    names = [name, *(other for other in others if (folder / f"{other}.json").is_file())]
    write_file(folder / "index.json", json.dumps({"models": names}, indent=2) + "\n")
    terms = [f"- {each}: {_terms(folder / f'{each}.json')}" for each in names]
    title = (
        "# Licences of the models\n\nThe models are conversions of networks whose weights have terms of their own.\n"
    )
    write_file(folder / "LICENSE.md", "\n".join([title, *terms, ""]))


def _terms(description: Path) -> str:
    license: dict[str, Any] | None = None
    with contextlib.suppress(ValueError, AttributeError):
        license = read_json(description).get("license")
    if not license:
        return "not stated; whoever trained them knows the terms"
    use = ", not for commercial use" if license["non_commercial"] else ""
    return f"[{license['name']}]({license['url']}){use}"


def _copy(page: Path, folder: Path) -> None:
    """Copies the page; its entry comes last, so that it never names files that are not there yet."""
    if page.resolve() == folder.resolve():
        return
    files = [file for file in page.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (file.name in ("index.html", "sw.js"), file)):
        target = folder / file.relative_to(page)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
