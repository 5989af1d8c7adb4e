"""Any pair of folders whose pictures and masks are matched by name."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable

from keras_segformer.data.importers.class_lists import ClassList, find_class_list, read_class_file
from keras_segformer.data.importers.class_scan import scan_masks
from keras_segformer.data.importers.labels import (
    IGNORED,
    Context,
    Export,
    ExportFile,
    Picture,
    PixelValues,
    merge_classes,
)
from keras_segformer.data.importers.pixels import (
    pixel_values,
    read_pixels,
)
from keras_segformer.data.importers.split_lists import in_listed_splits
from keras_segformer.data.importers.splits import split_of
from keras_segformer.data.importers.tree import Tree, is_image, shared_end
from keras_segformer.errors import InvalidDatasetError

NAME = "folders"
TITLE = "a pair of folders with pictures and masks"
LOOKED_FOR = (
    "folders such as images and masks with files of equal names (or --images, --masks, --image-suffix, --mask-suffix)"
)

_IMAGE_WORDS = frozenset(
    [
        "images",
        "image",
        "imgs",
        "img",
        "jpegimages",
        "pictures",
        "picture",
        "photos",
        "photo",
        "rgb",
        "sat",  # of satellites
        "input",
        "inputs",
        "frames",
        "original",
        "originals",
    ]
)
_MASK_WORDS = frozenset(
    [
        "masks",
        "mask",
        "labels",
        "label",
        "annotations",
        "annotation",
        "ann",
        "anns",
        "annots",
        "annot",
        "gt",
        "groundtruth",
        "truth",
        "lbl",
        "lbls",
        "seg",
        "segs",
        "segmented",
        "segmentation",
        "segmentations",
        "segmentationclass",
        "labelmaps",
        "labelmap",
        "targets",
        "semantic",
        "semantics",
        "stuffthingmaps",  # of COCO-Stuff
    ]
)
_FILLERS = frozenset(["dir", "dirs", "folder"])  # as in img_dir and ann_dir of MMSegmentation
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = _IMAGE_WORDS | _MASK_WORDS
_LOSSY = (".jpg", ".jpeg", ".jpe", ".jfif")
_MASK_ENDINGS = (
    "_mask",
    "_masks",
    "_label",
    "_labels",
    "_gt",
    "_seg",
    "_segmentation",
    "_annotation",
    "-mask",
    "_L",
    "_P",
)


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A file with its key for matching: its name, and its folders without words such as "images" or "masks"."""

    file: ExportFile
    folders: tuple[str, ...]
    name: str


@dataclasses.dataclass
class MaskPairs:
    """Pictures and masks that were matched.

    Args:
        pairs: Name, subset, mask, and the picture where there is one.
        without_label: Pictures without mask.
        notes: How they were matched, and what did not fit.
        problems: Pictures with several masks, as sentences.
    """

    pairs: list[tuple[str, str, ExportFile, ExportFile | None]]
    without_label: list[str]
    notes: list[str]
    problems: list[str] = dataclasses.field(default_factory=list)


def detect(context: Context) -> list[str]:
    """The export, if some masks of it have a picture or options say which files are masks."""
    options = context.options
    if options.masks or options.mask_suffix:
        return [""]
    found = match_masks(context)
    return [""] if found.problems or any(image for *_, image in found.pairs) else []


def read(context: Context, _root: str) -> Export:
    """Reads pictures and masks.

    Args:
        context: The export.
        _root: Not used: names decide what belongs together.

    Returns:
        The classes of `--classes`, else of a list beside the folders, else named after what the masks hold.
    """
    listed = read_class_file(context.options.classes) if context.options.classes else find_class_list(context.tree)
    return read_masks(context, listed, [])


def read_masks(context: Context, listed: ClassList | None, rules: list[str]) -> Export:
    """Reads pictures and masks with a list of classes.

    Args:
        context: The export.
        listed: The classes; `None` to name them after what the masks hold.
        rules: Rules to say before the others.

    Returns:
        What was read.

    Raises:
        InvalidDatasetError: There is no mask.
    """
    found = match_masks(context)
    if not found.pairs:
        if found.problems:
            raise InvalidDatasetError(found.problems[0])
        raise InvalidDatasetError(f"There are no masks in '{context.tree.source}'; name their folder with --masks.")
    if not any(subset for _, subset, *_ in found.pairs):
        found.pairs, notes = in_listed_splits(context.tree, found.pairs)
        found.notes += notes
    if listed is None:
        scan = scan_masks(mask for *_, mask, _ in found.pairs)
        listed = scan.class_list()
        found.notes.append(
            f"No list of classes was found: they are named after the {scan.kind}s in the masks (--classes FILE names "
            "them)."
        )
        found.notes += scan.doubts
        if scan.is_in_steps and not scan.is_binary:
            found.notes.append("The values divide 0 to 255 in equal steps, so 255 is a class.")
    elif set(listed.values) == {0, 1}:
        listed = _on_scale_of_masks(listed, found)
    source = listed.path or "the masks"
    load = functools.partial(_load, listed, functools.cache(functools.partial(_are_colored, found)))
    return Export(
        classes=merge_classes(listed.classes),
        pictures=[
            Picture(name=name, subset=subset, source=mask.path, load=functools.partial(load, mask), image=image)
            for name, subset, mask, image in found.pairs
        ],
        unlabelled="ignore",
        upright=False,
        rules=[
            *rules,
            f"The classes are those of {source}; grey and palette masks are read by value, RGB masks by colour, and "
            "palette masks by colour too where only that fits the list.",
            "Black that no class has, transparent pixels and those without data are ignored"
            + (", and so is the value 255." if 255 not in listed.values else "."),
        ],
        notes=[*found.notes, *listed.shared_colors],
        without_label=found.without_label,
        problems=found.problems,
    )


def _on_scale_of_masks(listed: ClassList, found: MaskPairs) -> ClassList:
    """A list of the values 0 and 1, with 255 for 1 if the masks hold only 0 and 255.

    The import reports masks that cannot be read or differ in kind.
    """
    with contextlib.suppress(InvalidDatasetError):
        scan = scan_masks(mask for *_, mask, _ in found.pairs)
        found.notes += scan.doubts
        if scan.is_binary:
            first, second = listed.values[0], listed.values[1]
            found.notes.append(f"The masks hold 0 and 255 only, so 255 is '{second}'.")
            return dataclasses.replace(listed, values={0: first, 255: second})
    return listed


def _are_colored(found: MaskPairs) -> bool:
    """True if any mask has colours that are not grey. Files are read up to the first that has."""
    for _, _, mask, _ in found.pairs:
        with contextlib.suppress(InvalidDatasetError):
            pixels = read_pixels(mask.read())
            if pixels.colored and not pixels.is_grey:
                return True
    return False


def match_masks(context: Context) -> MaskPairs:
    """Finds pictures and masks and matches them by their names.

    Args:
        context: The export; its options may name the folders and how the names end.

    Returns:
        The pairs, in the order of the masks.
    """
    images, masks, notes = _sort_files(context)
    by_name: dict[str, list[_Entry]] = defaultdict(list)
    by_plain_name: dict[str, list[_Entry]] = defaultdict(list)
    for image in images:
        by_name[image.name].append(image)
        by_plain_name[_plain_name(image.name)].append(image)
    partners = {mask: _partner(mask, by_name, by_plain_name, notes) for mask in masks}
    used = set(partners.values())
    partners, problems = _one_mask_each(partners)
    pairs = []
    for mask, image in partners.items():
        entry = image or mask
        split = next((folder for folder in entry.folders if split_of(folder)), "")
        name = "/".join([*(folder for folder in entry.folders if folder != split), entry.name])
        pairs.append((name, split, mask.file, image.file if image else None))
    return MaskPairs(pairs, [image.file.path for image in images if image not in used], notes, problems)


def _one_mask_each(
    partners: dict[_Entry, _Entry | None],
) -> tuple[dict[_Entry, _Entry | None], list[str]]:
    """Masks and their pictures without those of which a picture has several, except for the one in its own folders."""
    by_image: dict[_Entry, list[_Entry]] = defaultdict(list)
    for mask, image in partners.items():
        if image:
            by_image[image].append(mask)
    dropped, problems = set(), []
    for image, masks in by_image.items():
        if len(masks) > 1:
            own = [mask for mask in masks if mask.folders == image.folders]
            dropped.update(masks if len(own) != 1 else set(masks) - set(own))
            listed = ", ".join(mask.file.path for mask in masks)
            taken = f"only {own[0].file.path} is read" if len(own) == 1 else "none is read"
            problems.append(
                f"{image.file.path} has several masks, of which {taken}: {listed}; join them in one, which names all "
                "classes, or name the folder of the masks with --masks."
            )
    return {mask: image for mask, image in partners.items() if mask not in dropped}, problems


def _partner(
    mask: _Entry, by_name: dict[str, list[_Entry]], by_plain_name: dict[str, list[_Entry]], notes: list[str]
) -> _Entry | None:
    """The picture of a mask: in the same folders, else the only one of the name anywhere."""
    found = [by_name.get(name, []) for name in _names(mask.name)] + [by_plain_name.get(_plain_name(mask.name), [])]
    for images in found:
        anywhere = [image for image in images if _may_share_split(mask, image)]
        same = [image for image in anywhere if image.folders == mask.folders]
        candidates = same or _in_nearest_folders(mask, anywhere) or anywhere
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            listed = ", ".join(each.file.path for each in candidates)
            notes.append(f"{mask.file.path} fits several pictures: {listed}; keep one or name the folders.")
            return None
    return None


def _in_nearest_folders(mask: _Entry, images: list[_Entry]) -> list[_Entry]:
    """The pictures whose first and last folders are most like those of a mask; none where none of them is."""
    own = mask.folders
    shared = [shared_end(own, image.folders) + shared_end(own[::-1], image.folders[::-1]) for image in images]
    most = max(shared, default=0)
    return [image for image, count in zip(images, shared, strict=True) if most and count == most]


def _may_share_split(mask: _Entry, image: _Entry) -> bool:
    splits, others = ({split_of(folder) for folder in entry.folders} - {None} for entry in (mask, image))
    return not splits or not others or bool(splits & others)


def _names(name: str) -> list[str]:
    """The name of a mask, with and without the ending that distinguishes it from its picture."""
    return [
        name,
        *([posixpath.splitext(name)[0]] if is_image(name) else []),  # `a.jpg.png` is of `a.jpg`
        *(name[: -len(ending)] for ending in _MASK_ENDINGS if _ends(name, ending) and len(name) > len(ending)),
    ]


def _ends(name: str, ending: str) -> bool:
    # CamVid's `_L`, and fastai's `_P`, are capitals: other tools write `_l` for the left of two cameras.
    return name.endswith(ending) or (ending not in ("_L", "_P") and name.casefold().endswith(ending))


def _plain_name(name: str) -> str:
    """A name without words such as "image" or "mask" before and behind it, in lower case: `mask_7` is of `IMG_7`."""
    words = _words(name.casefold())
    while len(words) > 1 and words[0] in _WORDS:
        del words[0]
    while len(words) > 1 and words[-1] in _WORDS:
        del words[-1]
    return "_".join(words)


def _words(name: str) -> list[str]:
    return re.split(r"[_\-\s.]+", name)


def _sort_files(context: Context) -> tuple[list[_Entry], list[_Entry], list[str]]:
    """The pictures, the masks, and how they were distinguished."""
    options = context.options
    if options.masks or options.images:
        return _in_named_folders(context)
    if options.mask_suffix or options.image_suffix:
        masks = _entries(context.tree, options.mask_suffix) if options.mask_suffix else []
        taken = {entry.file.path for entry in masks}
        images = [each for each in _entries(context.tree, options.image_suffix) if each.file.path not in taken]
        if not masks:
            taken = {entry.file.path for entry in images}
            masks = [each for each in _entries(context.tree, None) if each.file.path not in taken]
        return images, masks, []
    return _sort_by_folders(context)


def _in_named_folders(context: Context) -> tuple[list[_Entry], list[_Entry], list[str]]:
    """The pictures and masks, where options name the folder of either or both."""
    options = context.options
    if options.images and options.masks:
        images = _entries(context.folder(options.images), options.image_suffix)
        return images, _entries(context.folder(options.masks), options.mask_suffix), []
    # The folders around one that is named may name its split.
    if options.masks:
        tree = context.folder(options.masks)
        masks = _entries(tree, options.mask_suffix, tree.begin)
        return _others(context, masks, ("image", None, "mask"), options.image_suffix), masks, []
    tree = context.folder(options.images)
    images = _entries(tree, options.image_suffix, tree.begin)
    return images, _others(context, images, ("mask", None, "image"), options.mask_suffix), []


def _others(context: Context, entries: list[_Entry], kinds: tuple[str | None, ...], suffix: str | None) -> list[_Entry]:
    """The files of the export that are not among others, of the first kind that there are any of."""
    taken = {entry.file.tree.location(entry.file.path) for entry in entries}
    found = [each for each in _entries(context.tree, suffix) if context.tree.location(each.file.path) not in taken]
    by_kind = {kind: [each for each in found if _kind(each.file.path)[0] == kind] for kind in kinds}
    return next((by_kind[kind] for kind in kinds if by_kind[kind]), [])


def _sort_by_folders(context: Context) -> tuple[list[_Entry], list[_Entry], list[str]]:
    paths = [path for path in context.tree.paths if is_image(path)]
    kinds = _by_kind(context.tree, paths, "")
    if kinds["mask"] and not kinds["image"] and not kinds[None]:
        # A folder around everything may have any name, such as "labels".
        inner = _by_kind(context.tree, paths, posixpath.commonpath([posixpath.dirname(path) for path in paths]))
        kinds = inner if inner["mask"] else kinds
    if kinds["mask"]:
        return kinds["image"] or kinds[None], kinds["mask"], []
    together = kinds["image"] + kinds[None]
    by = {"the end of their names": _by_ending, "their names": _by_words, "their formats": _by_format}
    for told_by, find in by.items():
        masks = find(together)
        if masks:
            notes = [f"Masks lie beside their pictures and are told by {told_by}, as in {masks[0].file.path}."]
            return [entry for entry in together if entry not in set(masks)], masks, notes
    return together, [], []


def _by_ending(entries: list[_Entry]) -> list[_Entry]:
    """The masks beside pictures of which their names differ by an ending, such as `a_mask` beside `a`."""
    names = {(entry.folders, entry.name) for entry in entries}
    return [entry for entry in entries if any((entry.folders, name) in names for name in _names(entry.name)[1:])]


def _by_words(entries: list[_Entry]) -> list[_Entry]:
    """The masks beside pictures of which their names differ by words, such as `7_mask` beside `7_sat`."""
    masks = [entry for entry in entries if _is_called_mask(entry.name)]
    pictures = {(entry.folders, _plain_name(entry.name)) for entry in entries if not _is_called_mask(entry.name)}
    return [entry for entry in masks if (entry.folders, _plain_name(entry.name)) in pictures]


def _by_format(entries: list[_Entry]) -> list[_Entry]:
    """The masks beside pictures of the same name, where those are JPEG files, which masks never are."""
    pictures = {(entry.folders, entry.name) for entry in entries if entry.file.path.lower().endswith(_LOSSY)}
    others = [entry for entry in entries if not entry.file.path.lower().endswith(_LOSSY)]
    return others if all((entry.folders, entry.name) in pictures for entry in others) else []


def _is_called_mask(name: str) -> bool:
    words = _words(name.casefold())
    return words[0] in _MASK_WORDS or words[-1] in _MASK_WORDS


def _by_kind(tree: Tree, paths: list[str], around: str) -> dict[str | None, list[_Entry]]:
    """The pictures, the masks, and files of which their folders do not tell, under `None`.

    Args:
        tree: The export.
        paths: The files.
        around: A folder that tells nothing, since all files are below it.
    """
    kinds: dict[str | None, list[_Entry]] = defaultdict(list)
    for path in paths:
        kind, _ = _kind(path[len(around) :].lstrip("/"))
        _, folders = _kind(path)
        name = posixpath.splitext(posixpath.basename(path))[0]
        kinds[kind].append(_Entry(ExportFile(tree, path), folders, name))
    return kinds


def _kind(path: str) -> tuple[str | None, tuple[str, ...]]:
    """Whether the folders of a path say that it is an "image" or a "mask", and the rest of their names.

    Folders that say nothing else, such as `train_masks`, come before others, such as "Semantic segmentation dataset".
    """
    rest = []
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for folder in path.split("/")[:-1]:
        words = [word for word in _words(folder) if word]
        parts = _words(_CAPITAL.sub(" ", folder))
        # `TrainMasks`, but not `SegNet`
        if parts[-1].casefold() in _WORDS and not _WORDS.intersection(map(str.casefold, words)):
            words = parts
        if folder.casefold().endswith("annot") and len(words) == 1 and len(folder) > len("annot"):
            words = [folder[: -len("annot")], "annot"]
        plain = {word.casefold() for word in words}
        others = [word for word in words if word.casefold() not in _WORDS]
        if plain & _WORDS:
            others = [word for word in others if word.casefold() not in _FILLERS]
        if plain & _WORDS:
            says_nothing_else = all(split_of(word) or word.isdecimal() for word in others)
            told[says_nothing_else].add("mask" if plain & _MASK_WORDS else "image")
        rest.append("_".join(others))
    kinds = told[True] or told[False]
    kind = "mask" if "mask" in kinds else next(iter(kinds), None)
    return kind, tuple(folder for folder in rest if folder)


def _entries(tree: Tree, suffix: str | None, around: str = "") -> list[_Entry]:
    """The pictures of a tree in further folders that end in a suffix, with or without that of the format."""
    found = []
    for path in tree.paths:
        folder, base = posixpath.split(path)
        if not is_image(path):
            continue
        plain, end = posixpath.splitext(base)[0], (suffix or "").casefold()
        if end and base.casefold().endswith(end):
            plain = base[: -len(end)]
        elif end and plain.casefold().endswith(end):
            plain = plain[: -len(end)]
        elif end:
            continue
        _, folders = _kind(posixpath.join(around, folder, "x"))
        found.append(_Entry(ExportFile(tree, path), folders, plain))
    return found


def _load(listed: ClassList, are_colored: Callable[[], bool], mask: ExportFile, _size: object) -> PixelValues:
    pixels = read_pixels(mask.read())
    by_value = {255: IGNORED, **listed.values}
    return pixel_values(pixels, by_value, listed.colors, black_is_color=are_colored)
