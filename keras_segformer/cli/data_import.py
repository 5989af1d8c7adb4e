"""`keras-segformer data import` and `data classes`: exports of labelling tools, and what masks hold."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from keras_segformer.cli.outputs import write_json

_FORMATS = (
    "cvat-masks", "cvat-images", "label-studio-png", "label-studio-json", "labelme", "coco", "coco-panoptic",
    "roboflow-masks", "yolo-seg", "supervisely", "voc", "cityscapes", "camvid", "folders",
)  # fmt: skip
# As wide as a table may need where no terminal limits it.
_ANY_WIDTH = 100_000
_SHOWN, _SHOWN_FILES = 100, 5


def add_import(actions: Any) -> None:
    """Adds the action `import`.

    Args:
        actions: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = actions.add_parser(
        "import",
        help="import the export of a labelling tool",
        description="Reads the export of CVAT, Label Studio, labelme, COCO, Roboflow, YOLO, Supervisely, Pascal VOC, "
        "Cityscapes or any pair of folders, and writes images, masks and classes.json for the data set "
        "`folder`. The rules "
        "that are followed, the pixels of every class and everything that is left out are printed.",
        epilog="example: keras-segformer data import cvat_export.zip --output my_data",
    )
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder or zip archive of the export")
    parser.add_argument("--output", metavar="FOLDER", type=Path, required=True, help="folder to write")
    parser.add_argument("--format", choices=_FORMATS, help="format of the export (default: found by looking)")
    parser.add_argument("--overwrite", action="store_true", help="replace a folder that already holds something")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the report to a file")
    _add_class_options(parser.add_argument_group("classes"))
    _add_drawing_options(parser.add_argument_group("drawing"))
    _add_file_options(parser.add_argument_group("files"))
    parser.set_defaults(action=_import)


def add_classes(actions: Any) -> None:
    """Adds the action `classes`.

    Args:
        actions: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = actions.add_parser(
        "classes",
        help="write a classes.json from what masks hold",
        description="Counts the values or colours in the masks of a folder and writes a classes.json that names them; "
        "edit "
        "the names. 255 is left out, which means no class.",
        epilog="example: keras-segformer data classes my_data",
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder with masks, itself or below it")
    parser.add_argument("--mask-suffix", metavar="TEXT", help="how the names of masks end, such as _mask.png")
    parser.add_argument("--overwrite", action="store_true", help="replace a classes.json that is there")
    parser.set_defaults(action=_classes)


def _add_class_options(group: Any) -> None:
    group.add_argument(
        "--classes",
        metavar="FILE",
        type=Path,
        help="classes in their order: a classes.json, or a text with a name a line",
    )
    group.add_argument(
        "--background",
        metavar="NAME",
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
        type=_threshold,
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
    group.add_argument("--images", metavar="DIR", type=Path, help="folder of the pictures, where the export has none")
    group.add_argument("--masks", metavar="DIR", type=Path, help="folder of the masks, for a pair of folders")
    group.add_argument("--image-suffix", metavar="TEXT", help="how the names of pictures end, for a pair of folders")
    group.add_argument("--mask-suffix", metavar="TEXT", help="how the names of masks end, such as _mask.png")


def _threshold(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 255:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 255")
    return int(text)


def _import(args: argparse.Namespace) -> int:
    from keras_segformer.data.importers import ImportOptions, import_labels

    values = {name: getattr(args, name) for name in _OPTIONS}
    values["background"] = None if args.background == "none" else args.background
    if args.void is not None:
        values["void"] = () if args.void == ["none"] else tuple(args.void)
    report = import_labels(args.source, args.output, args.format, ImportOptions(**values), args.overwrite)
    _print_report(report)
    if args.json:
        write_json(args.json, report.to_dict())
    return 1 if report.problems else 0


_OPTIONS = (
    "classes", "unlabelled", "cityscapes_classes", "polygon_rule", "overlap", "crowd", "alpha_threshold", "lines",
    "annotation", "images", "masks", "image_suffix", "mask_suffix",
)  # fmt: skip


def _print_report(report: Any) -> None:
    print(f"Format: {report.title} ({report.format})")
    _print_list("Rules", report.rules)
    for split, counts in report.splits.items():
        _print_counts(report, split, counts)
    _print_list("Notes", report.notes)
    rows = [(what or "(no label)", count, report.unknown_files[what]) for what, count in report.unknown.items()]
    _print_list(
        "Unknown, ignored (255)", [f"{what}: {count:,} pixels in {_some(files)}" for what, count, files in rows]
    )
    ignored = report.to_dict()["ignored_pixels"]
    _print_list("Ignored (255)", [f"{name}: {count:,} pixels" for name, count in ignored.items()])
    _print_list("Not drawn", [f"{kind}: {count}" for kind, count in report.skipped.items()])
    _print_list("Regions that cover no pixel", report.blank_regions)
    _print_list("Labels without a region, all background", report.empty)
    _print_list("Pictures without label, left out", report.without_label)
    _print_list("Labels without picture" + _left_out(report), report.without_picture)
    _print_list("Labels without a pixel of any class, left out", report.without_class)
    for problem in report.problems:
        print(f"error: {problem}", file=sys.stderr)
    masks = sum(counts.masks for counts in report.splits.values())
    print(f"Wrote {masks} masks and {len(report.label_set.names)} classes to {report.output}")
    print(f"Next: keras-segformer data check folder --data {report.output}")


def _left_out(report: Any) -> str:
    masks = sum(counts.masks for counts in report.splits.values())
    return "" if masks == len(report.without_picture) else ", left out"


def _print_list(title: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    if lines:
        print(f"{title}:" if len(lines) < 2 else f"{title} ({len(lines)}):")
        for line in lines[:_SHOWN]:
            print(f"  - {line}")
        if len(lines) > _SHOWN:
            print(f"  … and {len(lines) - _SHOWN} more, which --json lists")


def _some(files: list[str]) -> str:
    more = f" and {len(files) - _SHOWN_FILES} more files" if len(files) > _SHOWN_FILES else ""
    return ", ".join(files[:_SHOWN_FILES]) + more


def _print_counts(report: Any, split: str, counts: Any) -> None:
    from keras_segformer.data.importers.labels import IGNORE

    table = Table("Index", "Class", "Pixels", "Share", "Pictures", "Covered", title=f"{split}: {counts.masks} masks")
    total = max(1, counts.pixels.sum())
    rows = [(str(index), name, index) for index, name in enumerate(report.label_set.names)]
    for text, name, index in [*rows, ("", "ignored", IGNORE)]:
        pixels = counts.pixels[index]
        numbers = (f"{pixels:,}", f"{pixels / total:.2%}", str(counts.images[index]), f"{counts.covered[index]:,}")
        table.add_row(text, name, *numbers)
    _print_table(table)
    if counts.overlap:
        print(f"Overlaps: {counts.overlap:,} pixels lie in regions of several classes ('Covered' counts those below).")


def _print_table(table: Table) -> None:
    """Prints a table whose names are never cut: folded in a terminal, as wide as need be elsewhere."""
    table.box = box.SIMPLE
    for column in table.columns:
        column.justify = "left" if column.header in ("Class", "Name") else "right"
        column.overflow = "fold"
    console = Console()
    if not console.is_terminal:
        console = Console(width=_ANY_WIDTH)
    console.print(table, crop=False)


def _classes(args: argparse.Namespace) -> int:
    from keras_segformer.data.importers.class_files import write_scanned_classes

    scan, label_set, path = write_scanned_classes(args.folder, args.mask_suffix, args.overwrite)
    table = Table("Index", "Name", scan.kind.title(), "Pixels", "Masks", title=f"{scan.masks} masks")
    indices = {each: str(index) for index, each in enumerate(scan.present)}
    for each in sorted(scan.pixels):
        name = label_set.names[int(indices[each])] if each in indices else "ignored"
        table.add_row(indices.get(each, ""), name, scan.describe(each), f"{scan.pixels[each]:,}", str(scan.files[each]))
    _print_table(table)
    for problem in scan.problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"Wrote {label_set.num_classes} classes to {path}; edit their names there.")
    return 1 if scan.problems else 0
