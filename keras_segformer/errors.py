"""The exceptions that name what a user can do about bad input."""


class PresetNotFoundError(FileNotFoundError):
    """No preset of that name or place could be found or downloaded; the message lists the searched places."""


class InvalidPresetError(ValueError):
    """A preset's files are there but cannot be read as a model: broken JSON, wrong types, unknown layout."""


class WeightsMismatchError(InvalidPresetError):
    """The tensors of a file do not fit the model: missing, left over, of another shape, or not finite."""


class InvalidImageError(ValueError):
    """A file or array that is no image the model can take."""
