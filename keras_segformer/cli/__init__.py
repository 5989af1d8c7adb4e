"""The program `keras-segformer`: a command per module."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from keras_segformer.cli import (
    android,
    audit,
    benchmark,
    convert,
    data,
    evaluate,
    info,
    predict,
    presets,
    train,
    verify,
)

COMMANDS = (predict, train, evaluate, convert, audit, verify, benchmark, android, data, presets, info)


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
    main(["predict", "photo.jpg", "--preset", "b0_ade20k"])
    ```
    """
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        if args.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keras-segformer", description="SegFormer for Keras 3.")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    for command, subparser in zip(COMMANDS, subparsers.choices.values(), strict=True):
        subparser.add_argument("--debug", action="store_true", help="show where in the program an error arose")
        subparser.set_defaults(run=command.run)
    return parser
