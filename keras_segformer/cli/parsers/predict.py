"""The arguments of `keras-segformer predict`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_bit_depth,
    add_command,
    add_file,
    add_folder,
    add_output_file,
    add_output_folder,
    add_preset,
    add_seen_size,
)
from keras_segformer.cli.values import positive_integer, seconds, share, text, weight_below_one
from keras_segformer.label_sets.display_colors import PALETTES
from keras_segformer.video import STEADY_WEIGHT


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "predict",
        help="segment photographs and videos",
        description="Writes, for every image, a picture with the classes found and a legend of their shares, and for "
        "every video a video with the classes laid over it and its own sound.",
        examples="""
            keras-segformer predict photo.jpg --preset b0_camvid --output out
            keras-segformer predict photos/ 'more/*.png' --preset b0_ade20k --output out --json --mask
            keras-segformer predict street.mp4 --preset b0_camvid --output out --steady --start 0:30 --stop 1:00
            keras-segformer predict scene.tif --preset b0_camvid --output out --geotiff --csv areas.csv
            keras-segformer predict camera:0 --model b0_camvid.tflite --output out
        """,
    )
    add_folder(
        parser,
        "images",
        metavar="SOURCE",
        type=text,
        nargs="+",
        help="image and video files, folders of them, patterns like '*.jpg', addresses (https://, rtsp://) and cameras "
        "(camera:0)",
    )
    model = parser.add_mutually_exclusive_group(required=True)
    add_preset(model, required=False)
    add_file(model, "--model", help="a TF Lite file, which sees pictures at the size of its input")
    add_output_folder(parser, "--output", required=True, help="folder to write to")
    add_seen_size(parser, "aligned")
    add_bit_depth(parser)
    parser.add_argument(
        "--opacity", type=share, default=0.5, help="weight of the colours, from 0 to 1 (default: %(default)s)"
    )
    parser.add_argument(
        "--palette",
        choices=PALETTES,
        default="display",
        help="colours of the picture: those that are easy to tell apart, or those of the data set, which masks always "
        "have (default: %(default)s)",
    )
    parser.add_argument("--overlay", action="store_true", help="write the picture without a legend, as videos are")
    parser.add_argument(
        "--mask",
        action="store_true",
        help="also write the class indices: as a PNG with a palette, or for videos as grey values in a lossless MKV "
        "file (FFV1)",
    )
    parser.add_argument("--json", action="store_true", help="also write the area of every class")
    add_output_file(
        parser,
        "--csv",
        help="also write the areas of all pictures and videos as one table, as Parquet if the name ends in .parquet",
    )
    add_output_file(
        parser, "--coco", help="also write the masks of all pictures as RLE in COCO's format (extra `data`)"
    )
    parser.add_argument(
        "--polygons",
        action="store_true",
        help="masks of --coco as polygons instead of RLE (extra `geo`)",
    )
    parser.add_argument(
        "--geotiff",
        action="store_true",
        help="read TIFF files a window at a time, however large they are, and write for each a GeoTIFF file of class "
        "indices with its coordinate system (extra `geo`)",
    )
    _add_video(parser)


def _add_video(parser: Any) -> None:
    """Adds the arguments that only videos heed."""
    group = parser.add_argument_group("videos (extra `video`)")
    group.add_argument("--start", metavar="TIME", type=seconds, default=0.0, help="begin here, as 12.5 or 1:02:03.5")
    group.add_argument("--stop", metavar="TIME", type=seconds, help="end here")
    group.add_argument(
        "--every", metavar="N", type=positive_integer, default=1, help="keep the first of every N frames (default: all)"
    )
    group.add_argument("--beside", action="store_true", help="the segmentation beside the video instead of over it")
    group.add_argument(
        "--steady",
        metavar="WEIGHT",
        type=weight_below_one,
        nargs="?",
        const=STEADY_WEIGHT,
        help="smooth the labels over time by the exponential mean of the logits, in which the frames before have this "
        "weight (default of the option: %(const)s, a lag of 1.5 frames on average)",
    )
