"""The arguments of `keras-segformer label`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_bit_depth, add_command, add_file, add_preset, add_seen_size
from keras_segformer.cli.values import positive_integer, text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "label",
        help="label pictures by the million",
        description="Writes a label map for every picture, tables of what was labelled and what failed, with Apache "
        "Beam (extra `beam`) or Ray Data (extra `ray`). Pictures whose labels are there are not done again.",
        examples="""
            keras-segformer label --input photos --preset b0_camvid --output labels --workers 4
            keras-segformer label --input 's3://my/*.jpg' --preset b0_camvid --output s3://my/labels --runner ray
        """,
    )
    parser.add_argument(
        "--input",
        metavar="PATTERN",
        type=text,
        nargs="+",
        required=True,
        help="pictures, folders of them and patterns like 'photos/*.jpg', also at s3://, gs:// and hdfs://",
    )
    parser.add_argument("--output", metavar="DIR", type=text, required=True, help="a folder, or the address of one")
    model = parser.add_mutually_exclusive_group(required=True)
    add_preset(model, required=False)
    add_file(model, "--model", help="a TF Lite file, which sees pictures at the size of its input")
    add_seen_size(parser, "aligned")
    add_bit_depth(parser)
    parser.add_argument(
        "--runner",
        type=text,
        default="DirectRunner",
        help="DirectRunner for this machine (default), another runner of Apache Beam, such as DataflowRunner, "
        "FlinkRunner or SparkRunner, or ray",
    )
    parser.add_argument(
        "--workers",
        metavar="N",
        type=positive_integer,
        default=1,
        help="how many processes on this machine, or actors of Ray, each with its share of the cores or a GPU of its "
        "own (default: %(default)s)",
    )
    parser.add_argument(
        "--options",
        type=text,
        help="options of the runner, as in --options='--region=europe-west1'; for Ray the address of a cluster",
    )
