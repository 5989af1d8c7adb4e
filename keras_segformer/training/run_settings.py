"""Where a run reads and writes, and on what it computes."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Where a run reads and writes, and on what it computes.

    Args:
        output: The folder of the run.
        data: Folder or archive of the data set; `None` for those that TFDS downloads.
        cache: Where the prepared data set is kept; TFDS's own place by default.
        skip_bad: Whether broken examples are left out, and named, instead of being an error.
        bit_depth: How many bits of pictures with 16 bits a channel count.
        resume: Whether to go on with the run in `output`.
        strategy: `"none"`, `"mirrored"` or `"data-parallel"`; see `open_strategy`.
        deterministic: Whether TensorFlow uses only operations that give the same bits every time, which are slower.
    """

    output: Path
    data: Path | None = None
    cache: Path | None = None
    skip_bad: bool = False
    bit_depth: int | None = None
    resume: bool = False
    strategy: str = "none"
    deterministic: bool = False
