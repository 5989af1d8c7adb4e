"""What `evaluate` can be asked for by name, in a module that imports nothing heavy: the program's help shows it."""

from __future__ import annotations

from typing import Literal

Mode = Literal["whole", "slide", "multiscale"]
MODES: tuple[Mode, ...] = ("whole", "slide", "multiscale")
