"""The arguments of `keras-segformer analyze`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_command,
    add_folder,
    add_json,
    add_options_to_actions,
    add_output_file,
    add_preset,
)
from keras_segformer.cli.values import image_size, positive_integer, text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "analyze",
        help="repeat the paper's analyses: receptive field",
        description="Measures, for any model, what the paper claims of SegFormer, beside the paper's values.",
        examples="""
            keras-segformer analyze erf --preset b0_ade20k --images photos --figure erf.png
        """,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    _add_erf(actions)
    add_options_to_actions(actions)


def _add_erf(actions: Any) -> None:
    parser = add_command(
        actions,
        "erf",
        help="effective receptive field of the stages and the head (figure 3)",
        description="Averages over pictures how much every pixel moves the features at the centre of the four stages "
        "and of the head, and prints the sides of the squares that hold 20, 30, 50 and 99 % of it.",
        examples="""
            keras-segformer analyze erf --preset b0_ade20k --images photos --figure erf.png --json erf.json
            keras-segformer analyze erf --preset b0_ade20k --backbone ResNet50 --images photos --count 20 --size 512
        """,
        notes="A network of --backbone has the same head with random weights; one that was trained is a preset.",
    )
    add_preset(parser, required=False, nargs="+", help="the models, a row of the figure each")
    parser.add_argument(
        "--backbone",
        metavar="NAME",
        type=text,
        help="a CNN of keras.applications under the same head, such as ResNet50",
    )
    parser.add_argument(
        "--backbone-weights",
        choices=("imagenet", "random"),
        default="imagenet",
        help="weights of the CNN (default: %(default)s, which Keras downloads)",
    )
    add_folder(parser, "--images", type=text, required=True, help="pictures: a file, a folder or a glob")
    parser.add_argument(
        "--count", type=positive_integer, default=100, help="how many of them at most (default: %(default)s)"
    )
    parser.add_argument(
        "--size",
        metavar="SIZE",
        type=image_size,
        default=(1024, 1024),
        help="side to which pictures are resized, or HEIGHTxWIDTH (default: 1024)",
    )
    add_json(parser)
    add_output_file(parser, "--figure", help="draw the fields on a logarithmic scale")
