"""The arguments of `keras-segformer analyze`."""

from __future__ import annotations

from typing import Any

from keras_segformer.analysis.corruption_names import CORRUPTIONS
from keras_segformer.cli.arguments import (
    add_command,
    add_dataset,
    add_folder,
    add_json,
    add_mode,
    add_options_to_actions,
    add_output_file,
    add_preset,
    add_preset_or_file,
    add_seen_size,
)
from keras_segformer.cli.values import image_size, positive_integer, seed, text, whole_number
from keras_segformer.models.variants import VARIANTS


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "analyze",
        help="repeat the paper's analyses: receptive field, robustness, cost, microcontrollers",
        description="Measures, for any model, what the paper claims of SegFormer, beside the paper's values.",
        examples="""
            keras-segformer analyze erf --preset b0_ade20k --images photos --figure erf.png
            keras-segformer analyze robustness --preset b0_camvid --dataset camvid --data CamVid
            keras-segformer analyze scaling --figure scaling.png
            keras-segformer analyze micro --architectures micro nano b0
        """,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    _add_erf(actions)
    _add_robustness(actions)
    _add_scaling(actions)
    _add_micro(actions)
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
        help="weights of the CNN (default: imagenet, which Keras downloads)",
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


def _add_robustness(actions: Any) -> None:
    parser = add_command(
        actions,
        "robustness",
        help="mean IoU under the corruptions of Cityscapes-C (table 5)",
        description="Scores a model on pictures of any data set under blur, noise, digital artefacts and weather, "
        "beside what the paper's models keep of their clean score on Cityscapes.",
        examples="""
            keras-segformer analyze robustness --preset b0_camvid --dataset camvid --data CamVid --json scores.json
            keras-segformer analyze robustness --preset b0_camvid --data mine --json scores.json --resume
            keras-segformer analyze robustness --model b0.tflite --data mine --corruptions fog snow --figure fog.png
        """,
        notes="As in the paper, noise has the severities 1 to 3 and the others have 1 to 5. --json holds the scores as "
        "soon as they are there, and --resume goes on from it.",
    )
    add_preset_or_file(parser)
    add_dataset(parser)
    add_mode(parser)
    add_seen_size(parser)
    parser.add_argument(
        "--corruptions",
        nargs="+",
        choices=tuple(CORRUPTIONS),
        metavar="NAME",
        help=f"only these of {', '.join(CORRUPTIONS)}",
    )
    parser.add_argument(
        "--severities", nargs="+", type=whole_number(1, 5), metavar="N", help="only these severities, from 1 to 5"
    )
    parser.add_argument("--seed", type=seed, default=0, help="number of the run (default: %(default)s)")
    add_json(parser, "write all scores, after each")
    parser.add_argument("--resume", action="store_true", help="go on with the run that is in --json")
    add_output_file(parser, "--figure", help="draw the scores, and the first picture under every corruption")


def _add_micro(actions: Any) -> None:
    parser = add_command(
        actions,
        "micro",
        help="memory, flash, arithmetic and mean IoU on a microcontroller (the paper's open question)",
        description="Converts networks to INT8 for microcontrollers at several sizes, measures the memory that TF Lite "
        "Micro needs for them, and scores network and file on a data set.",
        examples="""
            keras-segformer analyze micro --architectures micro nano b0 --sides 64 96 128
            keras-segformer analyze micro --preset run/preset --sides 64 96 --calibration photos --figure micro.png
            keras-segformer analyze micro --preset run/preset --sides 96 --dataset camvid --data CamVid --antialias
        """,
        notes="Architectures have random weights, no GELU and no scores. The arena is that of a machine with 64-bit "
        "pointers; a microcontroller needs less.",
    )
    add_preset(parser, required=False, nargs="+", help="trained networks without GELU")
    parser.add_argument(
        "--architectures",
        nargs="+",
        choices=sorted(VARIANTS),
        metavar="NAME",
        help=f"some of {', '.join(VARIANTS)}, with random weights",
    )
    parser.add_argument(
        "--sides",
        nargs="+",
        type=whole_number(32, 512),
        default=[96],
        metavar="SIDE",
        help="sides of square pictures in pixels, multiples of 32 (default: 96)",
    )
    add_folder(
        parser,
        "--calibration",
        type=text,
        help="some dozen pictures to which the ranges of INT8 are fitted: a folder or a glob",
    )
    add_dataset(parser)
    parser.add_argument("--antialias", action="store_true", help="score pictures that are resized with antialiasing")
    parser.add_argument(
        "--ethos-u",
        metavar="NAME",
        nargs="?",
        const="ethos-u55-128",
        help="compile for this NPU too, by its name in vela (default: %(const)s)",
    )
    add_json(parser, "write all figures, after each")
    add_output_file(parser, "--figure", help="draw mean IoU against the arena")


def _add_scaling(actions: Any) -> None:
    parser = add_command(
        actions,
        "scaling",
        help="how arithmetic, time and memory grow with the picture (table 1a)",
        description="Counts the multiply-accumulates of every kind of layer, measures time and peak memory with random "
        "weights in Keras and in TF Lite, and fits the power of the number of pixels with which each grows.",
        examples="""
            keras-segformer analyze scaling --figure scaling.png --json scaling.json
            keras-segformer analyze scaling --architectures b0 b2 --sides 256 512 1024 2048
            keras-segformer analyze scaling --architectures b5 --runtimes
        """,
        notes="B0 takes 1.5 GiB of memory in Keras at 1024x1024, and several times as much at 2048x2048. "
        "--runtimes without a name measures nothing. "
        "--json holds an architecture as soon as it is measured.",
    )
    parser.add_argument(
        "--architectures",
        nargs="+",
        choices=sorted(VARIANTS),
        default=["b0"],
        metavar="NAME",
        help=f"some of {', '.join(VARIANTS)} (default: b0)",
    )
    parser.add_argument(
        "--sides",
        nargs="+",
        type=whole_number(32, 8192),
        default=[256, 512, 1024],
        metavar="SIDE",
        help="sides of square pictures in pixels (default: 256 512 1024)",
    )
    parser.add_argument(
        "--runtimes",
        nargs="*",
        choices=("keras", "tflite"),
        default=["keras", "tflite"],
        metavar="NAME",
        help="in which time and memory are measured: keras, on all cores, and tflite, on one (default: both)",
    )
    parser.add_argument("--runs", type=positive_integer, help="passes that are timed after a first one (default: 3)")
    add_json(parser)
    add_output_file(parser, "--figure", help="draw the costs on logarithmic scales")
