"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import Any

import shtab

from keras_segformer.cli.values import (
    bit_depth,
    image_size,
    output_file,
    output_folder,
    path,
    positive_integer,
    prepared_folder,
    size_choice,
    text,
)
from keras_segformer.data.sources import NAMES
from keras_segformer.evaluation.choices import MODES
from keras_segformer.evaluation.class_mapping import class_mapping_names

DEFAULT_SPLIT = "val"
"""The split that a model is scored on unless another is named."""

_MAX_WIDTH = 100


def add_command(
    subparsers: Any, name: str, help: str, description: str, examples: str, notes: str = ""
) -> argparse.ArgumentParser:
    """Adds a command, or an action of one.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
        name: Its name.
        help: What it does, in a few words, for the list of commands.
        description: What it does, for its own help.
        examples: Command lines, one a line, for the end of its help.
        notes: What stands above them.

    Returns:
        Its parser.
    """
    listed = "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())
    return subparsers.add_parser(
        name,
        help=help,
        description=_wrapped(description),
        epilog=f"{_wrapped(notes)}\n\nexamples:\n{listed}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,  # keeps the lines of the examples
    )


def add_options_to_actions(actions: Any) -> None:
    """Lets the options that every command has stand behind its actions as well, where one would write them.

    Args:
        actions: What `argparse.ArgumentParser.add_subparsers` returned, with all actions in it.
    """
    for action in actions.choices.values():
        # The parser of the command has the defaults.
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        add_max_image_pixels(action, default=argparse.SUPPRESS)


def add_file(parser: Any, *flags: str, **options: Any) -> None:
    """Adds an argument that names a file to read.

    Args:
        parser: A parser or a group of it.
        *flags: As for `add_argument`.
        **options: As for `add_argument`.
    """
    parser.add_argument(*flags, **{"metavar": "FILE", "type": path} | options).complete = shtab.FILE


def add_folder(parser: Any, *flags: str, **options: Any) -> None:
    """Adds an argument that names a folder to read.

    Args:
        parser: A parser or a group of it.
        *flags: As for `add_argument`.
        **options: As for `add_argument`.
    """
    parser.add_argument(*flags, **{"metavar": "DIR", "type": path} | options).complete = shtab.DIRECTORY


def add_output_file(parser: Any, *flags: str, **options: Any) -> None:
    """Adds an argument that names a file to write, which is refused at once where it cannot be written.

    Args:
        parser: A parser or a group of it.
        *flags: As for `add_argument`.
        **options: As for `add_argument`.
    """
    add_file(parser, *flags, **{"type": output_file} | options)


def add_output_folder(parser: Any, *flags: str, **options: Any) -> None:
    """Adds an argument that names a folder to write to, which is refused at once where it cannot be written.

    Args:
        parser: A parser or a group of it.
        *flags: As for `add_argument`.
        **options: As for `add_argument`.
    """
    add_folder(parser, *flags, **{"type": output_folder} | options)


def add_input_side(parser: Any) -> None:
    """Adds `--size`, the size of a converted model's input.

    Args:
        parser: A parser or a group of it.
    """
    parser.add_argument(
        "--size",
        metavar="SIZE",
        type=image_size,
        default=(512, 512),
        help="side of the picture in pixels, or HEIGHTxWIDTH (default: 512)",
    )


def add_preset(parser: Any, *, required: bool = True, help: str = "the model", **options: Any) -> None:
    """Adds `--preset`.

    Args:
        parser: A parser or a group of it.
        required: Whether the command needs it.
        help: What it stands for.
        **options: As for `add_argument`.
    """
    parser.add_argument(
        "--preset",
        type=text,
        required=required,
        **options,
        help=f"{help}: a name of `keras-segformer presets`, a folder, hf://org/repo or "
        "kaggle://owner/model/framework/variation",
    )


def add_seen_size(parser: Any, default: str | None = None) -> None:
    """Adds `--size`, at which the network sees pictures, and `--antialias`.

    Args:
        parser: A parser or a group of it.
        default: The default.
    """
    parser.add_argument(
        "--size",
        metavar="SIZE",
        type=size_choice,
        default=default,
        help="size at which the network sees a picture: aligned (default; keeps the aspect ratio, as the published "
        "evaluation does), square, native, or HEIGHTxWIDTH in pixels",
    )
    parser.add_argument(
        "--antialias",
        action="store_true",
        help="resize pictures with antialiasing; --size square --antialias gives the network the pixels that "
        "transformers' image processor would",
    )


def add_mode(parser: Any) -> None:
    """Adds `--mode`.

    Args:
        parser: A parser or a group of it.
    """
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="whole",
        help="whole pictures (default), sliding windows of 1024x1024 with stride 768, or six scales and mirror images",
    )


def add_preset_or_file(parser: Any) -> None:
    """Adds `--preset` and `--model`, one of which is needed.

    Args:
        parser: A parser or a group of it.
    """
    model = parser.add_mutually_exclusive_group(required=True)
    add_preset(model, required=False)
    add_file(model, "--model", help="a TF Lite file, seen at the size of its input")


def add_calibration(parser: Any, help: str) -> None:
    """Adds `--calibration` and `--bit-depth`.

    Args:
        parser: A parser or a group of it.
        help: What the pictures are for.
    """
    add_folder(
        parser,
        "--calibration",
        type=text,
        help=f"some dozen pictures that look like what the model is to see, a folder or a glob: {help}",
    )
    add_bit_depth(parser)


def add_json(parser: Any, help: str = "write everything that was measured") -> None:
    """Adds `--json`.

    Args:
        parser: A parser or a group of it.
        help: What is written.
    """
    add_output_file(parser, "--json", help=help)


def add_limit(parser: Any) -> None:
    """Adds `--limit`.

    Args:
        parser: A parser or a group of it.
    """
    parser.add_argument(
        "--limit", metavar="N", type=positive_integer, help="only the first N pictures, of a data set too"
    )


def add_data(parser: Any, *, required: bool = False) -> None:
    """Adds `--data`.

    Args:
        parser: A parser or a group of it.
        required: Whether the command needs it.
    """
    add_folder(parser, "--data", required=required, help="folder or archive of the data set")


def add_prepared_data(parser: Any) -> None:
    """Adds `--data`, `--cache`, `--skip-bad` and `--bit-depth`, for commands that prepare a data set.

    Args:
        parser: A parser or a group of it.
    """
    add_data(parser)
    add_folder(
        parser,
        "--cache",
        type=prepared_folder,
        help="where the prepared data set is kept (default: the folder of TFDS)",
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave out broken examples, naming them")
    add_bit_depth(parser)


def add_bit_depth(parser: Any) -> None:
    """Adds `--bit-depth`.

    Args:
        parser: A parser or a group of it.
    """
    parser.add_argument(
        "--bit-depth",
        metavar="BITS",
        type=bit_depth,
        help="how many bits count in pictures of 16 bits a channel, such as 12 (default: what the files state, else "
        "16; refused where they look like fewer)",
    )


def add_max_image_pixels(parser: Any, **options: Any) -> None:
    """Adds `--max-image-pixels`, which `keras_segformer.cli.main` acts on.

    Args:
        parser: A parser or a group of it.
        **options: As for `add_argument`.
    """
    parser.add_argument(
        "--max-image-pixels",
        metavar="N",
        type=positive_integer,
        **{"help": "read pictures of up to so many pixels (default: Pillow's guard against decompression bombs)"}
        | options,
    )


def add_dataset(parser: Any) -> None:
    """Adds the arguments that name a data set to score a model on; `keras_segformer.cli.dataset` loads it.

    Args:
        parser: A parser or a group of it.
    """
    parser.add_argument(
        "--dataset", choices=NAMES, default="folder", help="name of the data set (default: a folder of your own)"
    )
    add_prepared_data(parser)
    parser.add_argument(
        "--split", type=text, default=DEFAULT_SPLIT, help="such as val, train or train[90%%:] (default: %(default)s)"
    )
    add_file(
        parser,
        "--class-mapping",
        metavar="MAPPING",
        help=f"{', '.join(class_mapping_names())}, or a JSON file whose `map` lists the data set's class for each of "
        "the model",
    )
    add_limit(parser)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, min(_MAX_WIDTH, shutil.get_terminal_size().columns - 2))
