"""Imports what labelling tools export: one module per format, and what they share."""

from keras_segformer.data.importers.formats import FORMATS
from keras_segformer.data.importers.importing import import_labels
from keras_segformer.data.importers.labels import ImportOptions
from keras_segformer.data.importers.report import ImportReport

__all__ = ["FORMATS", "ImportOptions", "ImportReport", "import_labels"]
