"""The names of recipes and strategies, in a module without heavy imports: the help of the program lists them."""

from __future__ import annotations

from importlib import resources

DISTILLATION_KINDS = ("pixel", "channel")
STRATEGIES = ("none", "mirrored", "data-parallel")


def recipe_names() -> tuple[str, ...]:
    """The names of the recipes that come with the package, sorted.

    Example:

    >>> "b0_camvid" in recipe_names()
    True
    """
    files = (entry.name for entry in (resources.files(__package__) / "recipes").iterdir())
    return tuple(sorted(file.removesuffix(".json") for file in files if file.endswith(".json")))
