"""Imports exports of labelling tools into a folder that this package reads."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import posixpath
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from rich.progress import track

from keras_segformer.data.importers.claims import settle_claims
from keras_segformer.data.importers.class_files import CLASSES_FILE, write_classes
from keras_segformer.data.importers.class_lists import read_class_file
from keras_segformer.data.importers.compose import Palette, Tally, compose
from keras_segformer.data.importers.formats import FORMATS, Format, find_format
from keras_segformer.data.importers.labels import (
    IGNORED,
    RGB,
    Context,
    Export,
    ImportOptions,
    LabelClass,
    Painting,
    Picture,
    PixelValues,
    merge_classes,
)
from keras_segformer.data.importers.picture_files import PictureFile, open_picture
from keras_segformer.data.importers.polygons import Size
from keras_segformer.data.importers.report import ImportReport, SplitCounts, sentence_about
from keras_segformer.data.importers.splits import SPLITS, split_of
from keras_segformer.data.importers.tree import Tree, text_of
from keras_segformer.data.parallel import parallel_map
from keras_segformer.errors import InvalidDatasetError, MissingExtraError
from keras_segformer.files import atomic_folder
from keras_segformer.label_sets import LabelSet
from keras_segformer.label_sets.colors import distinct_colors
from keras_segformer.mask_rules import IGNORE
from keras_segformer.progress_console import progress_console

MAX_CLASSES = IGNORE
"""The most classes that 8 bits can hold in addition to the value for ignored pixels."""

_ONLY_SPLIT = "all"
_BLACK = (0, 0, 0)
_PICTURE_FOLDERS = {"images", "jpegimages", "img", "imgs", "data"}


def import_labels(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    format: str | None = None,
    options: ImportOptions | None = None,
    overwrite: bool = False,
) -> ImportReport:
    """Imports the export of a labelling tool.

    Args:
        source: Folder or zip archive of the export.
        output: The folder to write: `images`, `masks` (PNG files of class indices, 255 for ignored pixels) and
            `classes.json`, with the splits `train`, `val` and `test` where the export has any. `check_source`, `load`
            and `train` read it as the source `folder`.
        format: One of `FORMATS`; detected by default.
        options: Rules that replace those of the tool.
        overwrite: Whether a folder that already holds something is replaced.

    Returns:
        The rules that were followed, the pixels of every class, and everything that was left out.

    Raises:
        FileExistsError: The output holds something, and `overwrite` was not given.
        FileNotFoundError: There is no such export.
        InvalidDatasetError: Its format is unknown or ambiguous, it is broken, or it has no usable label.
        MissingExtraError: pycocotools or defusedxml is not installed.
        ValueError: The format is unknown, or the output lies around the export.

    Example:

    ```python
    report = import_labels("cvat_export.zip", "my_data")
    report.format, report.pixels, report.problems
    ```
    """
    options = options or ImportOptions()
    if format is not None and format not in FORMATS:
        raise ValueError(f"there is no format {format!r}; choose one of {', '.join(FORMATS)}")
    _refuse_around(Path(source), Path(output), options)
    if not overwrite and Path(output).is_dir() and any(Path(output).iterdir()):
        # `atomic_folder` looks too, but only after minutes of reading.
        raise FileExistsError(f"the folder '{output}' is not empty; pass `overwrite=True` (--overwrite) to replace it")
    context = Context(Tree(source, leave_out=Path(output)), options)
    found, export = _read(context, format)
    if not export.pictures:
        without = [f"Without label: {each}." for each in export.without_label]
        raise InvalidDatasetError(
            f"'{source}' holds {found.TITLE}, but no label that can be used."
            f"{_first(export.problems or without or export.notes)}"
        )
    plan = _plan_classes(export, options, Path(output).name)
    report = ImportReport(found.NAME, found.TITLE, str(output), plan.label_set)
    report.rules = [*export.rules, *plan.rules]
    report.notes, report.problems = [*export.notes, *plan.notes], [*export.problems, *context.tree.unreadable.values()]
    report.without_label, report.ignored_labels = export.without_label, plan.ignored_labels
    if context.tree.duplicates:
        report.problems.append(
            f"Files whose names differ only in Unicode's form: {', '.join(context.tree.duplicates)}."
        )
    with atomic_folder(output, overwrite) as temporary:
        _write_pairs(export, plan, options, temporary, report)
        write_classes(plan.label_set, temporary / CLASSES_FILE, raw_to_train=False)
    return report


def _read(context: Context, name: str | None) -> tuple[Format, Export]:
    try:
        found, place = find_format(context, name)
        return found, found.read(context, place)
    except (InvalidDatasetError, MissingExtraError, FileNotFoundError):
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # As in `_load`.
        raise InvalidDatasetError(
            f"'{context.tree.source}' is not built as expected ({type(error).__name__}: {error}); export it again."
        ) from error


@dataclasses.dataclass(frozen=True)
class _ClassPlan:
    """The classes to write, and how every label is mapped to them."""

    label_set: LabelSet
    palette: Palette
    rules: list[str]
    notes: list[str]
    ignored_labels: list[str]


@dataclasses.dataclass(frozen=True)
class _Target:
    """The destination of a picture and its mask."""

    picture: Picture
    split: str
    name: str


@dataclasses.dataclass(frozen=True)
class _Written:
    """The result for a picture: the counts of its mask, or why it was not written."""

    pixels: np.ndarray | None = None
    tally: Tally = dataclasses.field(default_factory=Tally)
    empty: bool = False
    problem: str | None = None
    without_class: bool = False
    notes: tuple[str, ...] = ()


def _plan_classes(export: Export, options: ImportOptions, name: str) -> _ClassPlan:
    rules: list[str] = []
    notes: list[str] = []
    void = [each.name for each in export.classes if options.is_void(each.name)]
    classes = [each for each in export.classes if each.name not in void]
    if void:
        rules.append(f"Labels named {', '.join(void)} are ignored (255); --void chooses which.")
    ignored = list(void)
    if options.classes:
        listed = [
            each for each in merge_classes(read_class_file(options.classes).classes) if not options.is_void(each.name)
        ]
        ignored += [each.name for each in classes if each.name not in {other.name for other in listed}]
        colors = {each.name: each.color for each in classes}
        classes = [each if each.color else LabelClass(each.name, colors.get(each.name)) for each in listed]
        rules.append(f"The classes are those of {options.classes}, in its order.")
    unlabelled = options.unlabelled or export.unlabelled
    background = next((each.name for each in classes if options.is_background(each.name)), None)
    if options.background is None or unlabelled == "ignore":
        index = IGNORE
        rules.append("Unlabelled pixels are ignored (255).")
        if options.background is None and background is not None:
            rules.append(f"'{background}' is a class of the export and stays one.")
    else:
        if background is None:
            background = options.background
            classes = [LabelClass(background, _BLACK), *classes]
            rules.append(f"The class '{background}' is added as the first: unlabelled pixels are of it.")
        else:
            rules.append(f"Unlabelled pixels are of the class '{background}'.")
        index = [each.name for each in classes].index(background)
    if not classes:
        raise InvalidDatasetError(
            "The export names no class, and there is no background; name the classes with --classes."
        )
    if len(classes) > MAX_CLASSES:
        raise InvalidDatasetError(
            f"The export has {len(classes)} classes, but masks of 8 bits hold {MAX_CLASSES}; list those to keep in a "
            "file for --classes."
        )
    if len(classes) == 1:
        notes.append(f"There is only one class, '{classes[0].name}': a model needs two, or a background.")
    indices = {each.name: position for position, each in enumerate(classes)}
    indices |= {name: IGNORE for name in (*ignored, *export.ignored) if name not in indices}
    label_set = LabelSet(
        name=_plain_name(name), names=tuple(_printable(each.name) for each in classes), palette=_colors(classes)
    )
    return _ClassPlan(label_set, Palette({**indices, IGNORED: IGNORE}, index), rules, notes, ignored)


def _colors(classes: list[LabelClass]) -> tuple[RGB, ...]:
    """The colours of the tool where no two classes share one; others for the rest."""
    own = Counter(each.color for each in classes)
    free = iter([color for color in distinct_colors(2 * len(classes)) if color not in own])
    return tuple(each.color if each.color is not None and own[each.color] == 1 else next(free) for each in classes)


def _write_pairs(export: Export, plan: _ClassPlan, options: ImportOptions, folder: Path, report: ImportReport) -> None:
    pictures, notes = settle_claims(export.pictures)
    report.notes += notes
    targets = _targets(pictures, report)
    # Exports that consist of masks only are still useful.
    with_pictures = any(picture.image or picture.embedded for picture in pictures)
    lonely = [target for target in targets if not (target.picture.image or target.picture.embedded)]
    report.without_picture = [target.picture.source for target in lonely]
    if with_pictures:
        gone = set(map(id, lonely))
        targets = [target for target in targets if id(target) not in gone]
    elif lonely:
        report.notes.append(
            "The export holds no pictures: only masks are written. Name the folder of the pictures with --images, "
            "or put them into the folder images of the output under the names of their masks."
        )
    order = options.overlap or export.order
    write = functools.partial(_write_pair, plan=plan, order=order, upright=export.upright, folder=folder)
    console = progress_console()
    written = parallel_map(write, targets)
    for target, result in zip(
        targets,
        track(written, "Importing", total=len(targets), console=console, disable=not console.is_terminal),
        strict=True,
    ):
        _count(report, target, result)
    if not any(counts.masks for counts in report.splits.values()):
        why = report.problems or [f"{source} has no pixel of any class." for source in report.without_class]
        raise InvalidDatasetError(f"No label of the export can be used.{_first(why)}")
    if report.skipped and len(report.empty) == sum(counts.masks for counts in report.splits.values()):
        kinds = ", ".join(map(str, report.skipped))
        report.problems.append(
            f"No shape of the export is drawn ({kinds}), so that all masks are background alone; export polygons or "
            "masks."
        )
    if options.overlap and export.order:
        rule = (
            "Smaller regions are painted over larger ones"
            if options.overlap == "area"
            else "Later regions are painted over earlier ones"
        )
        report.rules.append(f"{rule} (--overlap {options.overlap}).")


def _write_pair(target: _Target, plan: _ClassPlan, order: str | None, upright: bool, folder: Path) -> _Written:
    """Writes a picture and its mask, or returns why it cannot. Runs in a thread."""
    source = target.picture.source
    try:
        picture = _open(target.picture)
        label = _load(target.picture, picture)
        upright, size = picture.fit(_size(label), upright) if picture else (True, None)
        mask, tally = compose(label, size, order, plan.palette)
        encoded = picture.encode(upright) if picture else None
    except InvalidDatasetError as error:
        return _Written(problem=sentence_about(source, str(error)))
    counts = np.bincount(mask.ravel(), minlength=256)
    if not counts[:IGNORE].any():
        return _Written(tally=tally, without_class=True)
    notes = []
    for kind in ("images", "masks"):
        _path(folder, target, kind, "").parent.mkdir(parents=True, exist_ok=True)
    if picture and encoded:
        data, suffix = encoded
        if data is not picture.data:
            how = "as labelled" if upright else "as stored, which is how its label fits"
            notes.append(f"The picture of {source} is written as PNG, {how}.")
        _path(folder, target, "images", suffix).write_bytes(data)
    Image.fromarray(mask).save(_path(folder, target, "masks", ".png"), "PNG")
    empty = not tally.regions and np.flatnonzero(counts).tolist() == [plan.palette.unlabelled]
    return _Written(counts, tally, empty, notes=tuple(notes))


def _open(picture: Picture) -> PictureFile | None:
    if picture.image:
        return open_picture(picture.image.read(), picture.image.path)
    if picture.embedded:
        return open_picture(picture.embedded(), f"the picture inside {picture.source}")
    return None


def _load(picture: Picture, file: PictureFile | None) -> Painting | PixelValues:
    try:
        return picture.load(file.upright if file else None)
    except InvalidDatasetError:
        raise
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        # Exports come from many sources, and any of their values may have another type.
        raise InvalidDatasetError(f"is not built as expected ({type(error).__name__}: {error})") from error


def _size(label: Painting | PixelValues) -> Size | None:
    return label.size if isinstance(label, Painting) else label.values.shape


def _count(report: ImportReport, target: _Target, result: _Written) -> None:
    source, tally = target.picture.source, result.tally
    report.notes += result.notes
    report.problems += [sentence_about(source, problem) for problem in tally.problems]
    for what, count in tally.unknown.items():
        report.unknown[what] += count
        report.unknown_files.setdefault(what, []).append(source)
    report.ignored.update(tally.ignored)
    report.skipped.update(tally.skipped)
    report.blank_regions += [f"{label or 'no label'} in {source}" for label in tally.blank_regions]
    if result.problem:
        report.problems.append(result.problem)
    if result.without_class:
        report.without_class.append(source)
    if result.pixels is None:
        return
    counts = report.splits.setdefault(target.split or _ONLY_SPLIT, SplitCounts())
    counts.masks += 1
    counts.pixels += result.pixels
    counts.images += result.pixels > 0
    counts.overlap += tally.overlap
    for index, count in tally.covered.items():
        counts.covered[index] += count
    if result.empty:
        report.empty.append(source)


def _targets(pictures: list[Picture], report: ImportReport) -> list[_Target]:
    """Names for every picture, each only once, and its split; empty where the export has none."""
    subsets = list(dict.fromkeys(picture.subset for picture in pictures))
    common = _common_folder(subsets)
    splits = {subset: _split_of_path(subset.removeprefix(common)) for subset in subsets}
    any_split = any(split for split, _ in splits.values())
    if len({rest for _, rest in splits.values()}) == 1:  # a folder around everything
        splits = {subset: (split, "") for subset, (split, _) in splits.items()}
    crowded = Counter(split for split, _ in splits.values())
    taken: set[tuple[str, str]] = set()
    targets = []
    inner = _without_common_folder([picture.name for picture in pictures])
    if not any_split:
        like_splits = sorted({folder for name in inner if split_of(folder := name.partition("/")[0]) and "/" in name})
        if like_splits:
            any_split = True
            report.notes.append(
                f"The export has no splits, but folders named like splits: {', '.join(like_splits)}. All pictures "
                "become the split train, so that these folders are not taken for splits."
            )
    for picture, own in zip(pictures, inner, strict=True):
        split, rest = splits[picture.subset]
        name = _safe(posixpath.join(rest, own) if rest else own)
        if crowded[split] > 1 and split and not rest:
            name = _safe(posixpath.join(picture.subset, own))
        split = split or ("train" if any_split else "")
        targets.append(_Target(picture, split, _distinct(name, split, taken)))
    others = sorted(subset for subset, (split, rest) in splits.items() if rest and not split)
    if others:
        where = "the split train" if any_split else "the only split"
        report.notes.append(
            f"These subsets are not among {', '.join(SPLITS)} and become folders in {where}: {', '.join(others)}."
        )
    return targets


def _common_folder(subsets: list[str]) -> str:
    """The folders around subsets that are splits without them, with a slash at the end; empty if there are none."""
    if len(subsets) < 2 or not all(subsets):
        return ""
    folders = [subset.split("/")[:-1] for subset in subsets]
    shared = [same[0] for same in itertools.takewhile(lambda same: len(set(same)) == 1, zip(*folders, strict=False))]
    folder = "".join(f"{part}/" for part in shared)
    return folder if all(_split_of_path(subset.removeprefix(folder))[0] for subset in subsets) else ""


def _without_common_folder(names: list[str]) -> list[str]:
    """The names without the folder that all of them have where it only says that it holds pictures."""
    folders = {name.partition("/")[0].casefold() if "/" in name else "" for name in names}
    if len(folders) == 1 and folders <= _PICTURE_FOLDERS:
        return [name.partition("/")[2] for name in names]
    return names


def _split_of_path(subset: str) -> tuple[str, str]:
    """The split that a part of a subset's path names, and the rest of the path."""
    parts = [part for part in subset.split("/") if part]
    for position, part in enumerate(parts):
        split = split_of(part)
        if split:
            return split, "/".join(parts[:position] + parts[position + 1 :])
    return "", "/".join(parts)


def _safe(name: str) -> str:
    """A relative path that is valid on every file system, leads nowhere else and is not hidden."""
    parts = [
        re.sub(r'[<>:"|?*\x00-\x1f\x7f]', "_", part).rstrip(" .")
        for part in PurePosixPath(text_of(name).replace("\\", "/")).parts
    ]
    kept = [f"_{part[1:]}" if part.startswith(".") else part for part in parts if part not in ("", "/")]
    return "/".join(kept) or "unnamed"


def _distinct(name: str, split: str, taken: set[tuple[str, str]]) -> str:
    """The name, with a number if it is taken already; many file systems do not distinguish case."""
    candidate, number = name, 1
    while (split, candidate.casefold()) in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add((split, candidate.casefold()))
    return candidate


def _path(folder: Path, target: _Target, kind: str, suffix: str) -> Path:
    return folder / target.split / kind / f"{target.name}{suffix}"


def _refuse_around(source: Path, output: Path, options: ImportOptions) -> None:
    """Refuses an output folder that contains an input."""
    target = output.resolve()
    for each in (source, options.images, options.masks, options.classes):
        if each is not None and each.exists() and (each.resolve() == target or target in each.resolve().parents):
            raise ValueError(f"the output '{output}' holds '{each}', which is to be read; choose another folder")


def _plain_name(name: str) -> str:
    return text_of(name) if text_of(name).isprintable() and text_of(name) else "imported"


def _printable(name: str) -> str:
    """The name without control characters, which would garble a legend."""
    return "".join(character if character.isprintable() else "_" for character in name)


def _first(problems: Iterable[str]) -> str:
    listed = list(problems)
    return f" {' '.join(listed[:3])}" + (f" And {len(listed) - 3} more." if len(listed) > 3 else "") if listed else ""
