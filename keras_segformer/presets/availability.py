"""Whether a preset of the catalogue can be had soon: on this machine, or from a hub that answers."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request

from keras_segformer.errors import PresetNotFoundError
from keras_segformer.presets.lookup import is_on_this_machine, locate

_HUB = "https://huggingface.co"
_SECONDS = 3.0


def is_available(name: str, seconds: float = _SECONDS) -> bool:
    """Whether a preset is on this machine, or could be downloaded to it.

    Args:
        name: A name of the catalogue, of a preset from the Hugging Face hub.
        seconds: How long the hub may take to answer.

    Returns:
        True if the files of the preset are on this machine now.

    Example:

    >>> is_available("b0_camvid")
    True
    """
    if not is_on_this_machine(name) and not _hub_answers(seconds):
        return False
    try:
        locate(name)
    except PresetNotFoundError:
        return False
    return True


def _hub_answers(seconds: float) -> bool:
    """Whether the hub answers at all. In a thread, since no time limit holds for the lookup of its name."""
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(os.environ.get("HF_ENDPOINT") or _HUB, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
        except urllib.error.HTTPError:
            pass  # an answer
        except (OSError, ValueError):
            return
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(seconds)
