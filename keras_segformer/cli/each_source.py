"""Work on one source after the other, of which a broken one does not end the command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

from keras_segformer.cli import describe_error
from keras_segformer.cli.outputs import Outputs
from keras_segformer.errors import InvalidImageError, InvalidVideoError

Source = TypeVar("Source")


def work_on_each(
    work: Callable[[Source, Outputs], bool],
    sources: Sequence[Source],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
) -> int:
    """Works on sources one by one, and names those that cannot be read or whose results cannot be written.

    Args:
        work: What to do with one; returns whether it is whole.
        sources: The sources.
        outputs: The files to write for each.
        args: What the parser returns.

    Returns:
        How many failed or are not whole.

    Raises:
        ValueError: The model's logits are not finite.
    """
    failed = 0
    for source, outputs_of_source in zip(sources, outputs, strict=True):
        try:
            failed += not work(source, outputs_of_source)
        except (InvalidImageError, InvalidVideoError, OSError) as error:
            if args.debug:
                raise
            failed += 1
            print(f"error: {describe_error(error)}", file=sys.stderr)
    return failed
