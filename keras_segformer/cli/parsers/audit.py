"""The arguments of `keras-segformer audit`."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_json
from keras_segformer.conversion.audit.target_names import check_target


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "audit",
        help="examine a TF Lite file: operations, true versions, and where it runs",
        description="Examines a TF Lite file of any origin without running it: its operations, the runtime that it "
        "needs for its tensors, whatever it says itself, and whether runtimes and delegates take every operation. The "
        "answer is takes, does not take or not known. The exit status is 0 if every required target takes the file, 1 "
        "if one does not or if the file makes a false claim about its versions, 3 if no required target refuses the "
        "file but it is not known whether all of them take it, and 2 for errors.",
        examples="""
            keras-segformer audit b0.tflite
            keras-segformer audit b0.tflite --require gpu,nnapi:6,runtime:2.14 --json audit.json
        """,
    )
    add_file(parser, "file", help="the .tflite file")
    parser.add_argument(
        "--require",
        metavar="TARGETS",
        type=targets,
        default=(),
        help="targets that have to take every operation, with commas between them: litert, xnnpack, gpu, "
        "qualcomm-htp, tflite-micro, ethos-u, nnapi:LEVEL with a feature level of 3 to 8, runtime:VERSION such as "
        "runtime:2.14",
    )
    add_json(parser, "write everything that was found")


def targets(text: str) -> tuple[str, ...]:
    """Reads the names of targets.

    Args:
        text: The names, with commas between them.

    Returns:
        The names.

    Raises:
        argparse.ArgumentTypeError: There is no such target.

    Example:

    >>> targets("gpu,nnapi:6")
    ('gpu', 'nnapi:6')
    """
    names = tuple(text.split(","))
    for name in names:
        try:
            check_target(name)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return names
