"""The layout that CVAT's masks and Pascal VOC share: `SegmentationClass`, `ImageSets/Segmentation`, `JPEGImages`."""

from __future__ import annotations

import dataclasses
import functools
import posixpath
import shlex
from collections.abc import Callable

from keras_segformer.data.importers.labels import Context, Picture, PixelValues
from keras_segformer.data.importers.pixels import Pixels, read_pixels
from keras_segformer.data.importers.splits import split_of
from keras_segformer.data.importers.tree import is_below, is_image, stem, without_suffix

MASKS = "SegmentationClass"
_MASKS_PNG = "SegmentationClassPNG"  # of labelme before version 5.2, which puts NumPy files into the other
_INSTANCES = "SegmentationObject"
_LISTS = "ImageSets/Segmentation"


@dataclasses.dataclass
class VocFolder:
    """The files of a VOC-like folder.

    Args:
        pictures: Those with a mask.
        without_label: Pictures without one.
        notes: What was assumed or left aside.
    """

    pictures: list[Picture]
    without_label: list[str]
    notes: list[str]


def find_mask_folders(context: Context) -> list[str]:
    """The folders around every `SegmentationClass`, or `SegmentationClassPNG`."""
    folders = set()
    for path in context.tree.paths:
        parts = path.split("/")
        name = next((name for name in (MASKS, _MASKS_PNG) if name in parts[:-1]), None)
        if name:
            folders.add("/".join(parts[: parts.index(name)]))
    return sorted(folders)


def read_voc_folder(context: Context, root: str, name_pixels: Callable[[Pixels], PixelValues]) -> VocFolder:
    """Reads a VOC-like folder.

    Args:
        context: The export.
        root: The folder that holds `SegmentationClass`.
        name_pixels: Gives the pixels of a mask their classes.

    Returns:
        Its pictures: those of the lists in `ImageSets/Segmentation`, or all where there is none.
    """
    tree = context.tree
    masks = _masks(context, root, MASKS) or _masks(context, root, _MASKS_PNG)
    lists, notes = _lists(context, root, masks.keys())
    pictures, without_label = [], []
    listed: set[str] = set()
    for subset, names in lists.items():
        for name in names:
            listed.add(name)
            image = context.find_image(name, _image_folders(root), lambda path: _is_mask(path, root))
            if name in masks:
                load = functools.partial(_load, context, masks[name], name_pixels)
                pictures.append(Picture(name=name, subset=subset, source=masks[name], load=load, image=image))
            elif image is not None:
                without_label.append(f"{image.path} (listed in {subset or 'default'})")
            else:
                notes.append(f"{name} is listed in {subset or 'default'}, but has neither picture nor mask.")
    unlisted = sorted(masks.keys() - listed)
    if unlisted:
        notes.append(f"Masks that are in no list of {_LISTS} are left out: {', '.join(unlisted)}.")
    candidates = [path for path in tree.below(root) if not _is_mask(path, root)]
    known = {name.split(" (listed")[0] for name in without_label}
    without_label += [path for path in context.unused_images(pictures, candidates) if path not in known]
    return VocFolder(pictures, without_label, notes)


def _masks(context: Context, root: str, folder: str) -> dict[str, str]:
    """The mask files of a folder by their names."""
    below = posixpath.join(root, folder)
    return {without_suffix(path[len(below) + 1 :]): path for path in context.tree.below(below) if is_image(path)}


def _lists(context: Context, root: str, masks: object) -> tuple[dict[str, list[str]], list[str]]:
    """The names by subset."""
    tree, notes = context.tree, []
    folder = posixpath.join(root, _LISTS)
    lists = {
        stem(path): list(dict.fromkeys(_name(line, masks) for line in tree.lines(path)))
        for path in tree.ending(".txt")
        if posixpath.dirname(path) == folder
    }
    settled = [subset for subset in lists if split_of(subset)]
    for joined in [subset for subset in lists if subset not in settled]:
        others = {name: lists[name] for name in settled}
        settled.append(joined)
        names = {name for each in others.values() for name in each}
        kept = [name for name in lists[joined] if name not in names]
        if others and len(kept) < len(lists[joined]):
            which = " and ".join(f"{name}.txt" for name in others if set(others[name]) & set(lists[joined]))
            if kept:
                notes.append(f"What {_LISTS}/{joined}.txt shares with {which} stays in those splits alone.")
            else:
                notes.append(f"{_LISTS}/{joined}.txt repeats {which} and is left aside.")
            lists[joined] = kept
    lists = {subset: names for subset, names in lists.items() if names}
    if not any(lists.values()):
        return {"": sorted(masks)}, [*notes, f"There are no lists in {_LISTS}: all masks are one split."]
    shared = [name for name in lists.get("train", ()) if name in set(lists.get("val", ()))]
    if shared:
        notes.append(f"These are in train.txt and in val.txt, and become part of both: {', '.join(shared)}.")
    return {"" if subset == "default" else subset: names for subset, names in lists.items()}, notes


def _name(line: str, masks: object) -> str:
    """The name in a line: alone, in quotes, with a suffix, before the flags that other lists have, or as two paths."""
    if line.startswith('"'):
        try:
            line = (shlex.split(line) or [""])[0]
        except ValueError:
            line = line.strip('"')
    candidates = [line, without_suffix(line), line.split()[0], without_suffix(line.split()[0])] if line else [line]
    candidates += [posixpath.basename(each) for each in candidates]
    return next((each for each in candidates if each in masks), candidates[1] if len(candidates) > 1 else line)


def _image_folders(root: str) -> list[str]:
    return [posixpath.join(root, folder) if folder else root for folder in ("JPEGImages", "images", "Images")]


def _is_mask(path: str, root: str) -> bool:
    endings = ("", "Visualization", "PNG", "Aug")
    names = [f"{folder}{ending}" for folder in (MASKS, _INSTANCES) for ending in endings]
    return any(is_below(path, posixpath.join(root, name)) for name in names)


def _load(context: Context, path: str, name_pixels: Callable[[Pixels], PixelValues], _size: object) -> PixelValues:
    return name_pixels(read_pixels(context.tree.read(path)))
