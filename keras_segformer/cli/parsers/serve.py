"""The arguments of `keras-segformer serve`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_preset, add_seen_size
from keras_segformer.cli.values import positive_integer, text, whole_number


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "serve",
        help="segment pictures over HTTP",
        description="Answers pictures that are posted to /segment with their masks, areas or overlays. The page at / "
        "has a form to try it, /docs the API, /health and /metrics what monitoring asks for. Needs the extra `serve`.",
        examples="""
            keras-segformer serve --preset b0_camvid
            keras-segformer serve --model b0_camvid.tflite --host 0.0.0.0 --port 80 --queue 100
        """,
    )
    model = parser.add_mutually_exclusive_group(required=True)
    add_preset(model, required=False)
    add_file(model, "--model", help="a TF Lite file, which sees pictures at the size of its input")
    add_seen_size(parser, "aligned")
    parser.add_argument(
        "--host", type=text, default="127.0.0.1", help="the address to listen at (default: %(default)s, this machine)"
    )
    parser.add_argument(
        "--port", type=whole_number(0, 65535), default=8000, help="0 takes one that is free (default: %(default)s)"
    )
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-megabytes",
        metavar="MB",
        type=positive_integer,
        default=20,
        help="the largest request; others get 413 (default: %(default)s)",
    )
    limits.add_argument(
        "--queue",
        metavar="N",
        type=positive_integer,
        default=32,
        help="how many pictures may wait; others get 429 (default: %(default)s)",
    )
    limits.add_argument(
        "--batch",
        metavar="N",
        type=positive_integer,
        help="how many of those that wait, seen at the same size, go through the network together (default: 8 on a "
        "GPU, 1 on a CPU, where batches take longer)",
    )
    limits.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=positive_integer,
        default=30,
        help="how long a picture may wait for its answer; others get 503 (default: %(default)s)",
    )
