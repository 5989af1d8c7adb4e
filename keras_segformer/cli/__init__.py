"""The program `keras-segformer`: the arguments of its commands in `parsers`, what they do in a module each."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import shtab

from keras_segformer import __version__
from keras_segformer.cli.arguments import add_max_image_pixels
from keras_segformer.cli.parsers import COMMANDS
from keras_segformer.quiet import PROGRAM, is_program, without_tensorflow_log

_WITHOUT_PICTURES = ("audit", "benchmark", "export", "info", "presets", "upload", "web")
_EXAMPLES = """examples:
  keras-segformer predict photo.jpg --preset b0_camvid --output out
  keras-segformer COMMAND --help
  eval "$(keras-segformer --print-completion bash)"    # or zsh"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program.

    Args:
        argv: The command-line arguments, those of the process by default.

    Returns:
        The exit status: 0, or 1 where part of the work failed, 2 for an error, which is named in one line, and 130
        where the user interrupted it.

    Raises:
        SystemExit: The arguments are wrong (status 2) or ask for help (status 0).

    Example:

    ```python
    main(["predict", "photo.jpg", "--preset", "b0_ade20k", "--output", "out"])
    ```
    """
    args = _parse(sys.argv[1:] if argv is None else argv)
    if getattr(args, "max_image_pixels", None):
        from keras_segformer.image_formats import set_max_image_pixels  # imports Pillow

        set_max_image_pixels(args.max_image_pixels)
    try:
        return _load_command(args).run(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError, MemoryError) as error:
        if args.debug:
            raise
        print(f"error: {describe_error(error)}", file=sys.stderr)
        return 2


def describe_error(error: BaseException) -> str:
    """Describes an error for the person at the terminal.

    Args:
        error: The error.

    Returns:
        Its message; for errors of the operating system the reason and the file, without the number of the error.

    Example:

    >>> describe_error(OSError(28, "No space left on device", "scores.json"))
    "No space left on device: 'scores.json'"
    """
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: '{error.filename}'"
    if isinstance(error, MemoryError):
        return f"the memory is exhausted ({error}); use smaller pictures or sizes"
    return str(error)


def _parse(words: Sequence[str]) -> argparse.Namespace:
    """Parses a command line with the parser of its command alone, so that the others need not be imported."""
    named = [name for name in words[:1] if name in COMMANDS]
    return make_parser(named or COMMANDS).parse_args(words)


def make_parser(commands: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Makes the parser of the program, without importing Keras or TensorFlow.

    Args:
        commands: The commands that it knows.

    Returns:
        The parser. What it returns has the name of the command in `command`.
    """
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="SegFormer for Keras 3.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    shtab.add_argument_to(parser, help="print the script that completes arguments in this shell")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for name in commands:
        importlib.import_module(f"{__name__}.parsers.{name}").add_parser(subparsers)
    for name, subparser in subparsers.choices.items():
        subparser.add_argument("--debug", action="store_true", help="show where in the program an error arose")
        if name not in _WITHOUT_PICTURES:
            add_max_image_pixels(subparser)
    return parser


def _load_command(args: argparse.Namespace) -> Any:
    """Imports the module that does the work, and with it Keras and TensorFlow if they are needed."""
    quiet = without_tensorflow_log() if is_program() and not args.debug else contextlib.nullcontext()
    with quiet:
        return importlib.import_module(f"{__name__}.{args.command}")
