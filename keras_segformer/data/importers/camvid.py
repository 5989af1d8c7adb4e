"""CamVid: folders such as `train` and `trainannot`, with masks in colours or with SegNet's indices."""

from __future__ import annotations

from keras_segformer.data.importers.class_lists import ClassList, find_class_list, read_class_file
from keras_segformer.data.importers.folders import match_masks, read_masks
from keras_segformer.data.importers.labels import IGNORED, Context, Export, LabelClass
from keras_segformer.data.importers.pixels import read_pixels
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import load_label_set

NAME = "camvid"
TITLE = "CamVid"
LOOKED_FOR = "the folders train and trainannot, or val and valannot, or test and testannot"

_CLASSES = {
    "Animal": (64, 128, 64), "Archway": (192, 0, 128), "Bicyclist": (0, 128, 192), "Bridge": (0, 128, 64),
    "Building": (128, 0, 0), "Car": (64, 0, 128), "CartLuggagePram": (64, 0, 192), "Child": (192, 128, 64),
    "Column_Pole": (192, 192, 128), "Fence": (64, 64, 128), "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64), "Misc_Text": (128, 128, 64), "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64), "ParkingBlock": (64, 192, 128), "Pedestrian": (64, 64, 0), "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192), "Sidewalk": (0, 0, 192), "SignSymbol": (192, 128, 128), "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192), "TrafficCone": (0, 0, 64), "TrafficLight": (0, 64, 64), "Train": (192, 64, 128),
    "Tree": (128, 128, 0), "Truck_Bus": (192, 128, 192), "Tunnel": (64, 0, 64), "VegetationMisc": (192, 192, 0),
    "Wall": (64, 192, 0),
}  # fmt: skip
"""The classes of CamVid and their colours; black is its Void."""


def detect(context: Context) -> list[str]:
    """The export, if it holds such folders."""
    folders = {part for path in context.tree.paths for part in path.split("/")[:-1]}
    return [""] if any(f"{split}annot" in folders and split in folders for split in ("train", "val", "test")) else []


def read(context: Context, _root: str) -> Export:
    """Reads the data set.

    Args:
        context: The export.
        _root: Not used: the names of the folders say what belongs together.

    Returns:
        The classes of a list beside the folders, else of CamVid: 31 for masks in colours, SegNet's 11 for others.
    """
    listed = read_class_file(context.options.classes) if context.options.classes else find_class_list(context.tree)
    if listed is None:
        listed = _colored_classes() if _is_colored(context) else _segnet_classes()
    return read_masks(context, listed, ["Folders that end in 'annot' hold the masks; CamVid's black is Void."])


def _is_colored(context: Context) -> bool:
    for *_, mask, _ in match_masks(context).pairs:
        try:
            return read_pixels(mask.read()).colored
        except InvalidDatasetError:
            continue  # the import reports it
    return True


def _colored_classes() -> ClassList:
    return ClassList([LabelClass(name, color) for name, color in _CLASSES.items()], {}, "CamVid")


def _segnet_classes() -> ClassList:
    label_set = load_label_set("camvid")
    classes = [LabelClass(*pair) for pair in zip(label_set.names, label_set.palette, strict=True)]
    return ClassList(
        classes, {**dict(enumerate(label_set.names)), len(classes): IGNORED}, "CamVid as released with SegNet"
    )
