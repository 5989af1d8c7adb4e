"""The arguments of `keras-segformer data import` and `data classes`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_folder, add_json, add_output_folder
from keras_segformer.cli.values import text, threshold

FORMATS = (
    "cvat-masks", "cvat-images", "label-studio-png", "label-studio-json", "labelme", "coco", "coco-panoptic",
    "roboflow-masks", "yolo-seg", "supervisely", "voc", "cityscapes", "camvid", "folders",
)  # fmt: skip


def add_import(actions: Any) -> None:
    """Adds the action `import`.

    Args:
        actions: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        actions,
        "import",
        help="import the export of a labelling tool",
        description="Reads the export of CVAT, Label Studio, labelme, COCO, Roboflow, YOLO, Supervisely, Pascal VOC, "
        "Cityscapes or any pair of folders, and writes images, masks and classes.json for the data set `folder`. The "
        "rules that are followed, the pixels of every class and everything that is left out are printed.",
        examples="""
            keras-segformer data import cvat_export.zip --output my_data
            keras-segformer data import coco/ --format coco --overlap area --output my_data
            keras-segformer data import . --images photos --masks labels --mask-suffix _mask.png --output my_data
        """,
    )
    add_file(parser, "source", metavar="SOURCE", help="folder or zip archive of the export")
    add_output_folder(parser, "--output", metavar="FOLDER", required=True, help="folder to write")
    parser.add_argument("--format", choices=FORMATS, help="format of the export (default: found by looking)")
    parser.add_argument("--overwrite", action="store_true", help="replace a folder that already holds something")
    add_json(parser, "also write the report to a file")
    _add_class_options(parser.add_argument_group("classes"))
    _add_drawing_options(parser.add_argument_group("drawing"))
    _add_file_options(parser.add_argument_group("files"))


def add_classes(actions: Any) -> None:
    """Adds the action `classes`.

    Args:
        actions: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        actions,
        "classes",
        help="write a classes.json from what masks hold",
        description="Counts the values or colours in the masks of a folder and writes a classes.json that names them; "
        "edit the names. 255 is left out, which means no class.",
        examples="""
            keras-segformer data classes my_data
            keras-segformer data classes my_data --mask-suffix _mask.png --overwrite
        """,
    )
    add_folder(parser, "folder", metavar="FOLDER", help="folder with masks, itself or below it")
    parser.add_argument(
        "--mask-suffix", metavar="TEXT", type=text, help="how the names of masks end, such as _mask.png"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a classes.json that is there")


def _add_class_options(group: Any) -> None:
    add_file(
        group,
        "--classes",
        help="classes in their order: a classes.json, or a text with a name a line",
    )
    group.add_argument(
        "--background",
        metavar="NAME",
        type=text,
        default="background",
        help="class of unlabelled pixels, added as the first where the export has none; 'none' for none (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--unlabelled",
        choices=("background", "ignore"),
        help="what unlabelled pixels are; 'ignore' for pictures that are labelled in part (default: what the "
        "format means)",
    )
    group.add_argument(
        "--void",
        metavar="NAME",
        type=text,
        nargs="+",
        help="labels whose pixels are ignored; 'none' for none (default: void, ignore, unlabeled and the like)",
    )
    group.add_argument(
        "--cityscapes-classes",
        choices=("train", "all"),
        default="train",
        help="the 19 classes of Cityscapes' benchmark, or every one with an id (default: %(default)s)",
    )


def _add_drawing_options(group: Any) -> None:
    group.add_argument(
        "--polygon-rule",
        choices=("coco", "pil", "opencv"),
        help="how polygons are filled: 'pil' and 'opencv' count the outline (default: as the tool does)",
    )
    group.add_argument(
        "--overlap",
        choices=("order", "area"),
        help="which of two regions is seen: the later, or the smaller (default: as the tool does)",
    )
    group.add_argument(
        "--crowd",
        choices=("class", "ignore"),
        default="class",
        help="what COCO's crowd regions are; CVAT marks all brush work so (default: %(default)s)",
    )
    group.add_argument(
        "--alpha-threshold",
        metavar="VALUE",
        type=threshold,
        default=128,
        help="opacity, of 1 to 255, from which a soft edge counts (default: %(default)s)",
    )
    group.add_argument(
        "--lines", choices=("draw", "skip"), default="draw", help="what becomes of labelme's lines and points"
    )
    group.add_argument(
        "--annotation",
        choices=("newest", "oldest", "each"),
        default="newest",
        help="which of several annotations of a picture in Label Studio counts (default: %(default)s)",
    )


def _add_file_options(group: Any) -> None:
    add_folder(group, "--images", help="folder of the pictures, where the export has none")
    add_folder(group, "--masks", help="folder of the masks, for a pair of folders")
    group.add_argument(
        "--image-suffix", metavar="TEXT", type=text, help="how the names of pictures end, for a pair of folders"
    )
    group.add_argument("--mask-suffix", metavar="TEXT", type=text, help="how the names of masks end, such as _mask.png")
