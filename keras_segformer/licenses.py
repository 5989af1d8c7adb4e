"""The terms of a model's weights, and the one notice about them."""

from __future__ import annotations

import dataclasses
import functools
import logging

_LOGGER = logging.getLogger("keras_segformer")


@dataclasses.dataclass(frozen=True)
class License:
    """The terms under which weights may be used; whatever is trained from them inherits these.

    Args:
        name: SPDX identifier, or the licence's own name.
        url: URL of its text.
        non_commercial: Whether it forbids commercial use.

    Raises:
        TypeError: A value of another type.

    Example:

    >>> print(License("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0", non_commercial=False).terms)
    Apache-2.0 (commercial use allowed): https://www.apache.org/licenses/LICENSE-2.0
    """

    name: str
    url: str
    non_commercial: bool

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and isinstance(self.url, str) and isinstance(self.non_commercial, bool)):
            raise TypeError(f"A licence is a name, a url and true or false, not {self}")

    @property
    def terms(self) -> str:
        """A description of one line."""
        use = "non-commercial use only" if self.non_commercial else "commercial use allowed"
        return f"{self.name} ({use}): {self.url}"


@functools.cache
def announce(license: License, weights: str) -> None:
    """Warn through the log, once per process, that weights must not be used commercially.

    Args:
        license: The terms; free ones are not announced.
        weights: What they are the terms of.
    """
    if license.non_commercial:
        _LOGGER.warning("The weights of %s are under the %s", weights, license.terms)
