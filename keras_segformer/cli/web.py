"""`keras-segformer web`: a page that runs a model in the browser."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.stems import stem_of
from keras_segformer.cli.web_server import FolderServer
from keras_segformer.conversion import convert
from keras_segformer.files import write_file
from keras_segformer.json_text import read_json
from keras_segformer.segformer import SegFormer

_PAGE = Path(__file__).parents[1] / "web_page"
_PARTS = ("index.html", "sw.js", "litert", "LICENSES.txt")
_HOST, _PORT = "127.0.0.1", 8080


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
        ValueError: The model cannot be converted like this, or an address is given and nothing is to be served.
    """
    if not args.serve and (args.host, args.port) != (None, None):
        raise ValueError("--host and --port are for --serve; give it too, or leave them out.")
    with contextlib.ExitStack() as stack:
        # Before the work, so that a port that is taken is found out at once.
        server = stack.enter_context(_listening(args)) if args.serve else None
        _write_page(args)
        if server:
            print(f"serving {args.output} at {server.url} (Ctrl+C ends it)", flush=True)
            server.serve_forever()
    return 0


def _listening(args: argparse.Namespace) -> FolderServer:
    return FolderServer(args.output, args.host or _HOST, _PORT if args.port is None else args.port)


def _write_page(args: argparse.Namespace) -> None:
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
            tiles=False,  # WebGPU starts every operation by itself
            preset=args.preset,
            progress=progress,
        )
    _list_models(models, name)
    _copy(page, args.output)
    print(f"{args.output}: the page, with {name} of {facts['bytes'] / 1e6:.1f} MB")
    if model.license:
        print(f"licence of the weights: {model.license.terms}")


def _find_page(given: Path | None) -> Path:
    page = given or _PAGE
    if all((page / part).exists() for part in _PARTS):
        return page
    if given:
        raise FileNotFoundError(
            f"'{page}' is not the built page; leave --page out, or name keras_segformer/web_page of a checkout in "
            "which `make web` has run"
        )
    raise FileNotFoundError(
        "keras-segformer was installed without the page, as from sources in which it was not built; install the "
        "published wheel, or run `make web` in a checkout and name its keras_segformer/web_page with --page"
    )


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
