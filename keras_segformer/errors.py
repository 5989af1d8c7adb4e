"""Exceptions about bad input, whose messages name a remedy."""

__all__ = [
    "InvalidDatasetError",
    "InvalidImageError",
    "InvalidPresetError",
    "InvalidRecipeError",
    "InvalidVideoError",
    "MissingExtraError",
    "PresetNotFoundError",
    "WeightsMismatchError",
]


class PresetNotFoundError(FileNotFoundError):
    """No preset of that name or place could be found or downloaded; the message lists the searched places."""


class InvalidPresetError(ValueError):
    """The files of a preset exist but cannot be read as a model: broken JSON, wrong types, unknown layout."""


class WeightsMismatchError(InvalidPresetError):
    """The tensors of a file do not fit the model: missing, left over, of another shape, or not finite."""


class InvalidImageError(ValueError):
    """A file or array that the model cannot take as an image."""


class InvalidVideoError(ValueError):
    """A file, stream or camera that gives no moving pictures, or that cannot be encoded."""


class InvalidDatasetError(ValueError):
    """A data set whose files are missing, broken, of different sizes, or hold values that belong to no class."""


class MissingExtraError(ValueError):
    """An optional package is not installed; the message says how to get it.

    Args:
        module: The module that could not be imported.
        extra: The extra of this package that brings it.
    """

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"This needs {module}, which is not installed; run `pip install 'keras-segformer[{extra}]'`.")


class InvalidRecipeError(ValueError):
    """A training recipe that does not exist, cannot be read, or has values out of range."""


def __dir__() -> list[str]:
    return list(__all__)
