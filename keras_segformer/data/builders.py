"""The data sets as TFDS builders, which `tfds.load("keras_segformer_camvid", …)` finds once this module is imported.

TFDS writes the examples once into shards under its `data_dir`, and renames their folder into place when it is complete,
so that an interrupted preparation is never mistaken for a complete one.
"""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Iterator
from typing import Any, ClassVar

from keras_segformer.data.check import check_source, describe_problems
from keras_segformer.data.examples import IMAGE, MASK, NAME
from keras_segformer.data.file_budgets import read_picture_bytes
from keras_segformer.data.image_files import encode_image
from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.data.masks import MaskCoding, encode_mask
from keras_segformer.data.pairs import Pair
from keras_segformer.data.parallel import parallel_map
from keras_segformer.data.sources import SOURCES, Source
from keras_segformer.errors import InvalidDatasetError, MissingExtraError
from keras_segformer.label_sets import LabelSet

try:
    import tensorflow_datasets as tfds
except ImportError as error:
    raise MissingExtraError("tensorflow_datasets", "data") from error


@dataclasses.dataclass(eq=False, kw_only=True)
class PairsConfig(tfds.core.BuilderConfig):
    """Where the files are, and how bad ones are handled.

    Args:
        name: Folder of the prepared examples.
        data: Folder or archive of the data set; the `manual_dir` of TFDS by default.
        skip_bad: Whether bad pairs are left out; else they are an error.
        bit_depth: How many bits of pictures with 16 bits a channel count.
    """

    data: str | os.PathLike[str] | None = None
    skip_bad: bool = False
    bit_depth: int | None = None


class PairsBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Images in their own format, and masks as class indices with 255 for ignored pixels."""

    VERSION = tfds.core.Version("1.0.1")
    RELEASE_NOTES: ClassVar = {
        "1.0.0": "First version.",
        "1.0.1": "Masks of one bit are read by their colours where these are the classes'.",
    }

    source: Source
    """The data set; subclasses set it."""

    @property
    def label_set(self) -> LabelSet:
        """The classes of the prepared examples."""
        return LabelSet.from_dict(self.info.metadata["label_set"])

    @property
    def assumptions(self) -> list[str]:
        """How ambiguous files were read."""
        return self.info.metadata.get("assumptions", [])

    @property
    def doubts(self) -> list[str]:
        """Likely mistakes in the classes of the data set."""
        return self.info.metadata.get("doubts", [])

    @property
    def left_out(self) -> list[str]:
        """What was wrong with the files that were left out."""
        return self.info.metadata["left_out"]

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            IMAGE: tfds.features.Image(),
            MASK: tfds.features.Image(shape=(None, None, 1), encoding_format="png"),
            NAME: tfds.features.Text(),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.source.title,
            homepage=self.source.homepage,
            citation=self.source.citation,
            license=self.source.licence,
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator[tuple[str, Any]]]:
        config = self.builder_config or PairsConfig(name="")
        data = config.data or dl_manager.manual_dir
        reports = check_source(self.source, data, bit_depth=config.bit_depth)
        problems = [problem for report in reports.values() for problem in report.problems]
        if problems and not config.skip_bad:
            raise InvalidDatasetError(
                f"The data set has {describe_problems(problems)}. `keras-segformer data check` lists all; repair the "
                "files, or leave them out with `skip_bad=True` (--skip-bad)."
            )
        for split, report in reports.items():
            if not report.good:
                raise InvalidDatasetError(f"Split {split} in '{data}' has no pair of image and mask to use; add some.")
        label_set = next(iter(reports.values())).label_set
        self.info.metadata.update(
            label_set=label_set.to_dict(),
            left_out=list(map(str, problems)),
            assumptions=[assumption for report in reports.values() for assumption in report.assumptions],
            doubts=list(next(iter(reports.values())).doubts),
        )
        return {
            split: self._generate_examples(report.good, report.coding, config.bit_depth)
            for split, report in reports.items()
        }

    def _generate_examples(
        self, pairs: tuple[Pair, ...], coding: MaskCoding, bit_depth: int | None
    ) -> Iterator[tuple[str, Any]]:
        return parallel_map(functools.partial(_encode, coding=coding, bit_depth=bit_depth), pairs)


def _encode(pair: Pair, coding: MaskCoding, bit_depth: int | None) -> tuple[str, dict[str, bytes | str]]:
    """The key and the features of an example."""
    pixels = read_mask_pixels(read_picture_bytes(pair.mask))
    image = encode_image(read_picture_bytes(pair.image), pixels.shape, bit_depth)
    mask = coding.mask_of(pixels, image.transparent)
    return pair.name, {IMAGE: image.data, MASK: encode_mask(mask), NAME: pair.name}


def _builder(name: str) -> type[PairsBuilder]:
    """The builder of a source. TFDS registers it under its own name, since it has a `cityscapes` itself."""
    source = SOURCES[name]
    attributes = {
        "__module__": __name__,
        "__doc__": f"{source.title}.",
        "name": f"keras_segformer_{name}",
        "source": source,
        "MANUAL_DOWNLOAD_INSTRUCTIONS": f"The folder {source.instructions}.",
    }
    return type(f"KerasSegFormer{name.title()}", (PairsBuilder,), attributes)


BUILDERS = {name: _builder(name) for name in SOURCES}
"""The builder of every data set that is read from a folder, by the name that `load` takes."""
