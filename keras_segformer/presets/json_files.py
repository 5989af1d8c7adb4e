"""Reading JSON objects that people and other programs wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keras_segformer.errors import InvalidPresetError
from keras_segformer.json_text import read_json


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Args:
        path: The file.

    Returns:
        The object.

    Raises:
        InvalidPresetError: The file is missing, is not JSON, or holds something else.
    """
    try:
        values = read_json(path)
    except FileNotFoundError as error:
        raise InvalidPresetError(f"{path.parent} lacks {path.name}; get the whole folder again.") from error
    except (OSError, ValueError) as error:
        raise InvalidPresetError(f"{path} is not readable JSON ({error}); get the file again.") from error
    if not isinstance(values, dict):
        raise InvalidPresetError(f"{path} must hold a JSON object, not a {type(values).__name__}; get the file again.")
    return values
