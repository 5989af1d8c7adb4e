"""The mask value that stands for no class; it has a module of its own because everything needs it."""

from __future__ import annotations

IGNORE = 255
"""The mask value of pixels that belong to no class, in every mask that leaves this package."""
