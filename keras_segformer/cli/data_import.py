"""`keras-segformer data import` and `data classes`: exports of labelling tools, and what masks hold."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.data.importers import ImportOptions, import_labels
from keras_segformer.data.importers.class_files import write_scanned_classes
from keras_segformer.mask_rules import IGNORE

_SHOWN, _SHOWN_FILES = 100, 5
_OPTIONS = (
    "classes", "unlabelled", "cityscapes_classes", "polygon_rule", "overlap", "crowd", "alpha_threshold", "lines",
    "annotation", "images", "masks", "image_suffix", "mask_suffix",
)  # fmt: skip


def run_import(args: argparse.Namespace) -> int:
    """Imports an export and prints the report.

    Args:
        args: What the parser returns.

    Returns:
        0, or 1 if a file could not be read.

    Raises:
        FileExistsError: The output folder holds something.
        FileNotFoundError: There is no such export.
        InvalidDatasetError: The format is unknown or not clear, or nothing can be read.
    """
    values = {name: getattr(args, name) for name in _OPTIONS}
    values["background"] = None if args.background == "none" else args.background
    if args.void is not None:
        values["void"] = () if args.void == ["none"] else tuple(args.void)
    report = import_labels(args.source, args.output, args.format, ImportOptions(**values), args.overwrite)
    _print_report(report)
    if args.json:
        write_json(args.json, report.to_dict())
    return 1 if report.problems else 0


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
    headers = ("Index", "Class", "Pixels", "Share", "Pictures", "Covered")
    table = make_table(*headers, text=("Class",), title=f"{split}: {counts.masks} masks")
    total = max(1, counts.pixels.sum())
    rows = [(str(index), name, index) for index, name in enumerate(report.label_set.names)]
    for text, name, index in [*rows, ("", "ignored", IGNORE)]:
        pixels = counts.pixels[index]
        numbers = (f"{pixels:,}", f"{pixels / total:.2%}", str(counts.images[index]), f"{counts.covered[index]:,}")
        table.add_row(text, name, *numbers)
    make_console().print(table)
    if counts.overlap:
        print(f"Overlaps: {counts.overlap:,} pixels lie in regions of several classes ('Covered' counts those below).")


def run_classes(args: argparse.Namespace) -> int:
    """Writes a classes.json and prints what the masks hold.

    Args:
        args: What the parser returns.

    Returns:
        0, or 1 if a mask could not be read.

    Raises:
        FileExistsError: There is a classes.json.
        FileNotFoundError: There is no such folder.
        InvalidDatasetError: The masks do not go together.
    """
    scan, label_set, path = write_scanned_classes(args.folder, args.mask_suffix, args.overwrite)
    headers = ("Index", "Name", scan.kind.title(), "Pixels", "Masks")
    table = make_table(*headers, text=("Name",), title=f"{scan.masks} masks")
    indices = {each: str(index) for index, each in enumerate(scan.present)}
    for each in sorted(scan.pixels):
        name = label_set.names[int(indices[each])] if each in indices else "ignored"
        table.add_row(indices.get(each, ""), name, scan.describe(each), f"{scan.pixels[each]:,}", str(scan.files[each]))
    make_console().print(table)
    for doubt in scan.doubts:
        print(f"warning: {doubt}")
    for problem in scan.problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"Wrote {label_set.num_classes} classes to {path}; edit their names there.")
    return 1 if scan.problems else 0
